// IP and MAC addresses as values, and their texts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hotpair::sys {

using MacAddress = std::array<std::uint8_t, 6>;

// Network byte order; IPv4 in the first four bytes, the rest zero.
struct IpAddress {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};

  std::size_t size() const { return ipv6 ? 16 : 4; }
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct IpPrefix {
  IpAddress address;  // host bits may be set: 192.0.2.1/24
  std::uint8_t length = 0;

  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
};

std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpPrefix> parse_ip_prefix(std::string_view text);  // the "/length" is required
std::string to_text(const IpAddress& address);                   // RFC 5952 for IPv6
std::string to_text(const IpPrefix& prefix);
IpPrefix subnet_of(const IpPrefix& prefix);  // with the host bits cleared

std::optional<MacAddress> parse_mac(std::string_view text);
std::string to_text(const MacAddress& mac);  // 02:00:00:00:00:01

}  // namespace hotpair::sys
