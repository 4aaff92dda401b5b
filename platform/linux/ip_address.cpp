#include "platform/linux/ip_address.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>

#include <arpa/inet.h>

namespace hotpair::sys {

std::optional<IpAddress> parse_ip(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(copy)) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  IpAddress address;
  address.ipv6 = text.find(':') != std::string_view::npos;
  if (inet_pton(address.ipv6 ? AF_INET6 : AF_INET, copy, address.bytes.data()) != 1)
    return std::nullopt;
  return address;
}

std::optional<IpPrefix> parse_ip_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(slash + 1);
  const auto address = parse_ip(text.substr(0, slash));
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (!address || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  if (length > address->size() * 8) return std::nullopt;
  return IpPrefix{*address, static_cast<std::uint8_t>(length)};
}

std::string to_text(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof(text));
  return text;
}

std::string to_text(const IpPrefix& prefix) {
  return to_text(prefix.address) + "/" + std::to_string(prefix.length);
}

IpPrefix subnet_of(const IpPrefix& prefix) {
  IpPrefix subnet = prefix;
  for (std::size_t i = 0; i < subnet.address.bytes.size(); ++i) {
    const std::size_t first_bit = i * 8;
    if (first_bit >= prefix.length) {
      subnet.address.bytes[i] = 0;
    } else if (prefix.length - first_bit < 8) {
      const auto mask = static_cast<std::uint8_t>(0xff00u >> (prefix.length - first_bit));
      subnet.address.bytes[i] = static_cast<std::uint8_t>(subnet.address.bytes[i] & mask);
    }
  }
  return subnet;
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  MacAddress mac{};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* at = text.data() + i * 3;
    const auto [end, error] = std::from_chars(at, at + 2, mac[i], 16);
    if (error != std::errc{} || end != at + 2) return std::nullopt;
    if (i + 1 < mac.size() && at[2] != ':') return std::nullopt;
  }
  return mac;
}

std::string to_text(const MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
  return text;
}

}  // namespace hotpair::sys
