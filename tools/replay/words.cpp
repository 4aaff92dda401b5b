#include "tools/replay/words.hpp"

#include <algorithm>
#include <cstdio>

#include "agent/core/role.hpp"
#include "tools/replay/field_text.hpp"

namespace hotpair::replay {

using namespace agent;

namespace {

std::string milliseconds(Duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", to_seconds(d) * 1000);
  return text;
}

std::string listed(const FieldTexts& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += (text.empty() ? "" : ", ") + name + " " + value;
  return text;
}

std::string path_name(PathId path, const NodeConfig& config) {
  const std::string name(config.paths[path].name.view());
  return name.empty() ? "path " + std::to_string(path) : name;
}

struct EventWords {
  const NodeConfig& config;

  std::string operator()(const HeartbeatReceived& e) const {
    return "heartbeat on " + path_name(e.path, config) + ": role " +
           std::string(to_string(e.heartbeat.role)) + ", epoch " +
           std::to_string(e.heartbeat.epoch.number) + (e.heartbeat.leaving ? ", leaving" : "") +
           (e.new_association ? ", newly associated" : "");
  }
  std::string operator()(const MismatchSeen& e) const {
    return std::string(WordsOf<MismatchSeen::Kind>::word(e.kind)) + " on " +
           path_name(e.path, config) + ": " + std::string(e.detail.view());
  }
  std::string operator()(const LinkChanged& e) const {
    const std::string name = e.interface < config.data_interfaces.size()
                                 ? std::string(config.data_interfaces[e.interface].name.view())
                                 : std::to_string(e.interface);
    if (!e.present) return "data interface " + name + ": gone";
    return "data interface " + name +
           (e.up ? ": up, " + std::to_string(e.speed_mbps) + " Mbit/s" : ": down");
  }
  std::string operator()(const ManagementLinkChanged& e) const {
    return std::string("management link ") + (e.up ? "up" : "down");
  }
  std::string operator()(const HeartbeatLinkChanged& e) const {
    return "link of " + path_name(e.path, config) + (e.up ? " up" : " down");
  }
  std::string operator()(const ActionDone& e) const {
    return "request " + std::to_string(e.action) + (e.ok ? " done in " : " failed after ") +
           milliseconds(e.took) + (e.ok ? "" : ": " + std::string(e.error.view()));
  }
  std::string operator()(const OperatorCommand& e) const {
    return "operator: " + std::string(WordsOf<OperatorCommand::What>::word(e.what));
  }
  template <typename Other>
  std::string operator()(const Other& e) const {
    const std::string fields = listed(fields_of(e));
    return std::string(RecordedKind<Other>::kName) + (fields.empty() ? "" : ": " + fields);
  }
};

struct ActionWords {
  std::string operator()(const ReportRoleChange& a) const {
    return std::string(to_string(a.from)) + " -> " + std::string(to_string(a.to)) + " (" +
           std::string(to_string(a.kind)) + ", epoch " + std::to_string(a.epoch.number) +
           "): " + std::string(a.reason.view());
  }
  std::string operator()(const ReportTransaction& a) const {
    std::string text = a.takeover ? "takeover" : "giving back";
    text += (a.ok ? " done in " : " with faults in ") + milliseconds(a.total);
    const char* separator = ": ";
    for (const TakeoverStep& step : a.steps) {
      text += std::exchange(separator, ", ") + std::string(step.name.view()) + " " +
              milliseconds(step.took);
      if (!step.ok) text += " (" + std::string(step.error.view()) + ")";
    }
    return text;
  }
  std::string operator()(const ReportEvent& a) const {
    return std::string(a.id.view()) + ": " + std::string(a.text.view());
  }
  std::string operator()(const OperatorAnswer& a) const {
    return (a.accepted ? "answers: " : "refuses: ") + std::string(a.text.view());
  }
  std::string operator()(const PublishHeartbeat& a) const {
    return std::string("publish a heartbeat") + (a.at_once ? " at once" : "") + ": role " +
           std::string(to_string(a.heartbeat.role)) + ", epoch " +
           std::to_string(a.heartbeat.epoch.number);
  }
  template <typename Other>
  std::string operator()(const Other& a) const {
    const std::string fields = listed(fields_of(a));
    return std::string(RecordedKind<Other>::kName) + (fields.empty() ? "" : ": " + fields);
  }
};

FieldTexts all_fields(const Action& action) {
  return std::visit([](const auto& a) { return fields_of(a); }, action);
}

std::string value_in(const FieldTexts& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, name, &FieldTexts::value_type::first);
  return found == fields.end() ? "(none)" : found->second;
}

void compare(const Action& recorded, const Action& now, std::vector<std::string>& lines) {
  const FieldTexts before = all_fields(recorded), after = all_fields(now);
  const auto note = [&](const std::string& name, const std::string& was, const std::string& is) {
    lines.push_back(kind_of(now) + ", " + name + ": recorded \"" + was + "\", now \"" + is + "\"");
  };
  for (const auto& [name, value] : before)
    if (const std::string is = value_in(after, name); is != value) note(name, value, is);
  for (const auto& [name, value] : after)
    if (value_in(before, name) == "(none)" && value != "(none)") note(name, "(none)", value);
}

}  // namespace

std::string in_words(const Event& event, const NodeConfig& config) {
  return std::visit(EventWords{config}, event.what);
}

std::string in_words(const Action& action) {
  return std::visit(ActionWords{}, action);
}

std::string kind_of(const Event& event) {
  return std::visit(
      [](const auto& e) { return std::string(RecordedKind<std::decay_t<decltype(e)>>::kName); },
      event.what);
}

std::string kind_of(const Action& action) {
  return std::visit(
      [](const auto& a) { return std::string(RecordedKind<std::decay_t<decltype(a)>>::kName); },
      action);
}

std::vector<std::string> differences(const std::vector<Action>& recorded, const Actions& now) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::max(recorded.size(), now.size()); ++i) {
    if (i >= now.size())
      lines.push_back("recorded, and not done now: " + in_words(recorded[i]));
    else if (i >= recorded.size())
      lines.push_back("done now, and not recorded: " + in_words(now[i]));
    else if (recorded[i].index() != now[i].index())
      lines.push_back("recorded: " + in_words(recorded[i]) + "; now: " + in_words(now[i]));
    else
      compare(recorded[i], now[i], lines);
  }
  return lines;
}

bool tells(const Action& action) {
  return !std::holds_alternative<PublishHeartbeat>(action);
}

bool reports(const Action& action) {
  return std::holds_alternative<ReportRoleChange>(action) ||
         std::holds_alternative<ReportTransaction>(action) ||
         std::holds_alternative<ReportEvent>(action) ||
         std::holds_alternative<OperatorAnswer>(action) || std::holds_alternative<Exit>(action);
}

}  // namespace hotpair::replay
