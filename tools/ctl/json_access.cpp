#include "tools/ctl/json_access.hpp"

#include <algorithm>

namespace hotpair::ctl {

const nlohmann::json& child(const nlohmann::json& object, const char* key) {
  static const nlohmann::json null;
  if (!object.is_object()) return null;
  auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string text(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = child(object, key);
  if (value.is_null()) return "";
  std::string found = value.is_string() ? value.get<std::string>() : value.dump();
  std::replace_if(
      found.begin(), found.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return found;
}

bool flag(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = child(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::uint64_t count(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = child(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::optional<double> number(const nlohmann::json& object, const char* key) {
  const nlohmann::json& value = child(object, key);
  if (!value.is_number()) return std::nullopt;
  return value.get<double>();
}

std::string spoken_range(const nlohmann::json& range) {
  const std::string lowest = text(range, "lowest"), highest = text(range, "highest");
  if (lowest.empty()) return "-";
  return lowest == highest ? lowest : lowest + " to " + highest;
}

}  // namespace hotpair::ctl
