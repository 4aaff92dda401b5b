#include "agent/daemon/kernel_settings.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "platform/linux/state_file.hpp"
#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr std::size_t kMaxSettings = 1024;

std::string text_in(const json& item, const char* key) {
  const auto found = item.find(key);
  return found != item.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

KernelSettings::KernelSettings(const std::string& run_dir) : path_(run_dir + "/" + kSettingsFile) {
  const auto text = sys::read_state_file(path_, kMaxBytes);
  if (!text || !text->has_value()) return;
  const json read = json::parse(**text, nullptr, false);
  if (!read.is_array()) return;
  for (const auto& item : read) {
    if (!item.is_object() || changed_.size() == kMaxSettings) continue;
    Changed known{text_in(item, "name"), text_in(item, "before"), text_in(item, "set")};
    if (known.name.starts_with("net/ipv")) changed_.push_back(std::move(known));
  }
}

Status KernelSettings::set(const std::vector<Setting>& wanted) {
  Status outcome = Ok{};
  std::vector<Setting> due;
  for (const Setting& setting : wanted) {
    const auto now = sys::read_sysctl(setting.name);
    if (!now) {
      if (outcome) outcome = Failure<Error>{now.error()};
      continue;
    }
    if (*now == setting.value) continue;
    due.push_back(setting);
    const auto known = std::find_if(changed_.begin(), changed_.end(),
                                    [&](const Changed& c) { return c.name == setting.name; });
    if (known == changed_.end())
      changed_.push_back({setting.name, *now, setting.value});
    else
      known->set = setting.value;
  }
  if (due.empty()) return outcome;
  if (auto noted = note(); !noted) return noted;
  for (const Setting& setting : due)
    if (auto written = sys::write_sysctl(setting.name, setting.value); !written && outcome)
      outcome = written;
  return outcome;
}

Status KernelSettings::note() const {
  json list = json::array();
  for (const Changed& each : changed_)
    list.push_back({{"name", each.name}, {"before", each.before}, {"set", each.set}});
  return sys::write_state_file(path_, list.dump() + "\n");
}

std::vector<std::string> KernelSettings::restore() {
  std::vector<std::string> problems;
  for (const Changed& each : changed_) {
    const auto now = sys::read_sysctl(each.name);
    if (!now || *now != each.set) continue;
    if (auto written = sys::write_sysctl(each.name, each.before); !written)
      problems.push_back(written.error().message);
  }
  changed_.clear();
  ::unlink(path_.c_str());
  return problems;
}

}  // namespace hotpair::daemon
