// What this node does when the peer begins: answers, takes over a change set, remembers the base.
#include "agent/daemon/box_facts.hpp"
#include "agent/daemon/config_engine.hpp"
#include "agent/daemon/config_place.hpp"
#include "agent/daemon/json_message.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr Duration kTurn = 5s;
constexpr Duration kBetweenMessages = 60s;

}  // namespace

agent::ConfigManifest ConfigEngine::load_base() const {
  const auto text = read_config_content(directory_ + "/base.json", agent::ConfigEntry::Kind::file);
  if (!text) return {};
  return manifest_from(json::parse(*text, nullptr, false)).value_or(agent::ConfigManifest{});
}

Status ConfigEngine::save_base(const agent::ConfigManifest& base) const {
  return write_durable(directory_ + "/base.json",
                       to_json(base).dump(-1, ' ', false, json::error_handler_t::replace));
}

void ConfigEngine::serve(sys::FileDescriptor socket) {
  sys::MessageStream stream(std::move(socket), kMaxConfigMessage);
  sys::Message message;
  while (stream.receive(message, kBetweenMessages) == sys::MessageStream::Outcome::done) {
    const json body = parse_body(message);
    switch (static_cast<ConfigMessage>(message.type)) {
      case ConfigMessage::ask_manifest:
        answer_manifest(stream);
        break;
      case ConfigMessage::begin: {
        const Status done = receive_change(stream, body);
        if (!done) {
          log_.warning("config-refused", done.error().message);
          const std::lock_guard lock(state_mutex_);
          state_.error = done.error().message;
          state_.in_sync = false;
          ++state_.refused;
        }
        if (!send_json(stream, ConfigMessage::outcome, outcome_json(done))) return;
        break;
      }
      case ConfigMessage::verdict: {
        const std::lock_guard lock(state_mutex_);
        state_.known = true;
        state_.error.clear();
        state_.in_sync = body.value("in_sync", false);
        state_.kept = body.value("kept", std::vector<std::string>{});
        for (auto& path : body.value("conflicts", std::vector<std::string>{}))
          state_.conflicts.push_back(std::move(path));
        break;
      }
      case ConfigMessage::changed:
        requested_ = true;
        break;
      case ConfigMessage::push:
        if (!send_json(stream, ConfigMessage::outcome, outcome_json(pushed()))) return;
        break;
      case ConfigMessage::read:
        answer_read(stream, body);
        break;
      case ConfigMessage::ask_facts:
        answer_facts(stream);
        break;
      default:
        break;  // of a later version
    }
  }
}

// A node without a scope is asked for its facts, and for nothing else.
Status ConfigEngine::has_scope() const {
  if (rules().scope.paths.empty()) return fail_with("config_sync.paths in cluster.yaml is empty");
  return Ok{};
}

Status ConfigEngine::pushed() {
  if (const Status scope = has_scope(); !scope) return scope;
  return round(true);
}

void ConfigEngine::answer_manifest(sys::MessageStream& stream) {
  const std::unique_lock turn(turns_, kTurn);
  if (!turn) {
    const Status busy = fail_with("a change of the configuration is under way");
    return (void)send_json(stream, ConfigMessage::outcome, outcome_json(busy));
  }
  const ConfigScan scan = look_locked();
  (void)send_json(stream, ConfigMessage::manifest,
                  {{"entries", to_json(scan.manifest)}, {"problems", scan.problems}});
}

void ConfigEngine::answer_read(sys::MessageStream& stream, const json& request) {
  json reply = json::object();
  const std::string path = request.value("path", "");
  const ConfigScan scan = look();
  if (const auto found = scan.manifest.find(path); found != scan.manifest.end())
    if (const auto text = read_config_content(path, found->second.kind)) reply["text"] = *text;
  (void)send_json(stream, ConfigMessage::text, reply);
}

void ConfigEngine::answer_facts(sys::MessageStream& stream) {
  const auto facts = read_box_facts(rules().devices, change_.stop_flag());
  (void)send_json(stream, ConfigMessage::facts, facts);
}

// Everything up to the commit is read also when it is refused, so that the other side hears why.
Status ConfigEngine::receive_change(sys::MessageStream& stream, const json& begin) {
  const std::unique_lock turn(turns_, kTurn);
  const auto operations = operations_from(begin.value("operations", json()));
  Status done = Ok{};
  if (!turn)
    done = fail_with("another change of the configuration is under way here");
  else if (!operations)
    done = fail_with("the change set cannot be read; run one version on both nodes");
  else if (const Status scope = has_scope(); !scope)
    done = scope;
  else if (primary_ && !begin.value("forced", false))
    done = fail_with("this node is primary itself");
  else
    done = change_.begin();
  std::uint64_t bytes = 0;
  sys::Message message;
  for (;;) {
    if (stream.receive(message, kBetweenMessages) != sys::MessageStream::Outcome::done)
      return fail_with(
          "the connection was lost in the middle of a change set; nothing was changed");
    if (message.type == static_cast<std::uint8_t>(ConfigMessage::commit)) break;
    agent::ContentHash hash;
    if (message.type != static_cast<std::uint8_t>(ConfigMessage::content) ||
        message.payload.size() < hash.size())
      return fail_with("the peer sent something else in the middle of a change set");
    bytes += message.payload.size();
    if (done && bytes > kMaxConfigTotal) done = fail_with("the change set is too large");
    std::copy_n(message.payload.begin(), hash.size(), hash.begin());
    if (done) done = change_.append(hash, message.text().substr(hash.size()));
  }
  if (!done) return done;
  const auto base = manifest_from(parse_body(message).value("base", json()));
  if (!base) return fail_with("what the peer says of the last agreement cannot be read");
  if (!operations->empty()) {
    done = change_.carry_out(*operations, look_locked().manifest, rules());
    if (!done) return done;
    log_.notice("config-received",
                "took over " + std::to_string(operations->size()) +
                    " changes of configuration from the peer",
                {{"changes", operations->size()}});
    (void)look_locked();
    const std::lock_guard lock(state_mutex_);
    ++state_.changes;
    state_.last_change = sys::wall_clock_text();
  }
  return save_base(*base);
}

}  // namespace hotpair::daemon
