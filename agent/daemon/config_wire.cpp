#include "agent/daemon/config_wire.hpp"

#include "agent/daemon/config_files.hpp"
#include "agent/daemon/json_message.hpp"

namespace hotpair::daemon {
namespace {

using agent::ConfigEntry;
using nlohmann::json;

json entry_json(const ConfigEntry& entry) {
  return json::array({static_cast<unsigned>(entry.kind), entry.mode, entry.user, entry.group,
                      entry.size, hex_of(entry.hash)});
}

std::optional<ConfigEntry> entry_from(const json& in) {
  if (!in.is_array() || in.size() != 6 || !in[5].is_string()) return std::nullopt;
  for (std::size_t i = 0; i < 5; ++i)
    if (!in[i].is_number_unsigned()) return std::nullopt;
  const auto kind = in[0].get<std::uint64_t>(), mode = in[1].get<std::uint64_t>();
  const auto hash = hash_from_hex(in[5].get<std::string>());
  if (kind < 1 || kind > 3 || mode > 07777 || !hash) return std::nullopt;
  ConfigEntry entry;
  entry.kind = static_cast<ConfigEntry::Kind>(kind);
  entry.mode = static_cast<std::uint32_t>(mode);
  entry.user = in[2].get<std::uint32_t>();
  entry.group = in[3].get<std::uint32_t>();
  entry.size = in[4].get<std::uint64_t>();
  entry.hash = *hash;
  return entry;
}

json optional_json(const std::optional<ConfigEntry>& entry) {
  return entry ? entry_json(*entry) : json(nullptr);
}

// False: malformed.
bool read_optional(const json& in, std::optional<ConfigEntry>& out) {
  if (in.is_null()) return true;
  out = entry_from(in);
  return out.has_value();
}

}  // namespace

json to_json(const agent::ConfigManifest& manifest) {
  json list = json::array();
  for (const auto& [path, entry] : manifest) list.push_back(json::array({path, entry_json(entry)}));
  return list;
}

json to_json(const std::vector<agent::ConfigOperation>& operations) {
  json list = json::array();
  for (const auto& each : operations)
    list.push_back(json::array(
        {each.path, optional_json(each.entry), optional_json(each.found), each.keep_beside}));
  return list;
}

std::optional<agent::ConfigManifest> manifest_from(const json& in) {
  if (!in.is_array() || in.size() > kMaxConfigFiles) return std::nullopt;
  agent::ConfigManifest manifest;
  for (const json& each : in) {
    if (!each.is_array() || each.size() != 2 || !each[0].is_string()) return std::nullopt;
    const auto entry = entry_from(each[1]);
    if (!entry) return std::nullopt;
    manifest[each[0].get<std::string>()] = *entry;
  }
  return manifest;
}

std::optional<std::vector<agent::ConfigOperation>> operations_from(const json& in) {
  if (!in.is_array() || in.size() > 2 * kMaxConfigFiles) return std::nullopt;
  std::vector<agent::ConfigOperation> operations;
  for (const json& each : in) {
    if (!each.is_array() || each.size() != 4 || !each[0].is_string() || !each[3].is_boolean())
      return std::nullopt;
    agent::ConfigOperation operation;
    operation.path = each[0].get<std::string>();
    operation.keep_beside = each[3].get<bool>();
    if (!read_optional(each[1], operation.entry) || !read_optional(each[2], operation.found))
      return std::nullopt;
    operations.push_back(std::move(operation));
  }
  return operations;
}

bool send_json(sys::MessageStream& stream, ConfigMessage type, const json& body) {
  return send_json_message(stream, static_cast<std::uint8_t>(type), body, kConfigPatience);
}

json parse_body(const sys::Message& message) {
  return parse_json_body(message);
}

std::optional<json> receive_json(sys::MessageStream& stream, ConfigMessage type, Duration timeout) {
  return receive_json_message(stream, static_cast<std::uint8_t>(type), timeout);
}

}  // namespace hotpair::daemon
