#include "agent/daemon/partition_json.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t kMost = 256;

bool has_text(const json& in, const char* key) {
  return in.contains(key) && in[key].is_string();
}
bool has_flag(const json& in, const char* key) {
  return in.contains(key) && in[key].is_boolean();
}

std::optional<agent::Partition> partition_from(const json& in) {
  if (!in.is_object() || !has_text(in, "name") || !has_text(in, "vrf") ||
      !has_flag(in, "vrf_present") || !in.contains("zone") || !in["zone"].is_number_unsigned() ||
      in["zone"].get<std::uint64_t>() > 65535 || !in.contains("interfaces") ||
      !in["interfaces"].is_array() || in["interfaces"].size() > kMost)
    return std::nullopt;
  agent::Partition out{in["name"], in["vrf"], in["vrf_present"], in["zone"], {}, {}};
  for (const json& each : in["interfaces"]) {
    if (!each.is_object() || !has_text(each, "name") || !has_flag(each, "present") ||
        !has_flag(each, "up"))
      return std::nullopt;
    out.interfaces.push_back({each["name"], each["present"], each["up"]});
  }
  // Older versions do not tell them.
  const json files = in.value("files", json::object());
  if (!files.is_object() || files.size() > kMost) return std::nullopt;
  for (const auto& [path, checksum] : files.items()) {
    if (!checksum.is_string()) return std::nullopt;
    out.files[path] = checksum;
  }
  return out;
}

}  // namespace

json to_json(const std::vector<agent::Partition>& partitions) {
  json list = json::array();
  for (const auto& partition : partitions) {
    json interfaces = json::array();
    for (const auto& each : partition.interfaces)
      interfaces.push_back({{"name", each.name}, {"present", each.present}, {"up", each.up}});
    list.push_back({{"name", partition.name},
                    {"vrf", partition.vrf},
                    {"vrf_present", partition.vrf_present},
                    {"zone", partition.zone},
                    {"interfaces", std::move(interfaces)},
                    {"files", partition.files}});
  }
  return list;
}

std::optional<std::vector<agent::Partition>> partitions_from(const json& in) {
  if (!in.is_array() || in.size() > kMost) return std::nullopt;
  std::vector<agent::Partition> list;
  for (const json& each : in) {
    auto partition = partition_from(each);
    if (!partition) return std::nullopt;
    list.push_back(std::move(*partition));
  }
  return list;
}

}  // namespace hotpair::daemon
