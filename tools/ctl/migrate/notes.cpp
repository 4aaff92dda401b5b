#include "tools/ctl/migrate/notes.hpp"

#include <charconv>
#include <cmath>

#include "platform/linux/ip_address.hpp"

namespace hotpair::ctl::migrate {

std::string Note::text() const {
  return file + ":" + std::to_string(line) + ": " + what + ": " + why;
}

std::optional<int> number(const std::string& word, int low, int high) {
  int value = 0;
  const char* end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc{} || at != end || value < low || value > high) return std::nullopt;
  return value;
}

std::string seconds(const std::string& word) {
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || at != end || !(value >= 0) || value > 1e6) return "";
  const auto ms = static_cast<long>(std::lround(value * 1000));
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

std::string with_prefix(const std::string& address) {
  if (const auto prefix = sys::parse_ip_prefix(address)) return sys::to_text(*prefix);
  const auto host = sys::parse_ip(address);
  return host ? sys::to_text(*host) + (host->ipv6 ? "/128" : "/32") : "";
}

}  // namespace hotpair::ctl::migrate
