#include "platform/config/values.hpp"

#include <algorithm>
#include <charconv>

#include "platform/linux/ip_address.hpp"
#include "platform/linux/listen_socket.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kMaxDeviceName = 15;  // IFNAMSIZ without the terminator
constexpr std::size_t kMaxInterfaceName = 31;
constexpr std::size_t kMaxPath = 4095;
constexpr std::size_t kMaxArguments = 64;
constexpr std::size_t kMaxArgument = 1024;

struct Unit {
  const char* name;
  std::int64_t ns;
};
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

bool is_printable(char c) {
  return c > 0x20 && c < 0x7f;
}

bool is_plain_name(const std::string& name) {
  if (name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_printable(c) && c != '/' && c != ':'; });
}

bool is_absolute_path(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.find("//") != std::string::npos) return false;
  const std::string closed = path + "/";
  return closed.find("/../") == std::string::npos && closed.find("/./") == std::string::npos &&
         path.back() != '/';
}

bool all_bits(const sys::IpPrefix& prefix, bool host_bit) {
  for (std::size_t bit = prefix.length; bit < prefix.address.size() * 8; ++bit)
    if (((prefix.address.bytes[bit / 8] >> (7 - bit % 8)) & 1) != (host_bit ? 1 : 0)) return false;
  return true;
}

// Why a device cannot be given this address; empty when it can.
std::string unfit(const sys::IpPrefix& prefix) {
  const auto& b = prefix.address.bytes;
  const std::size_t bits = prefix.address.size() * 8;
  if (prefix.length == 0) return "a prefix length of at least 1";
  if (prefix.address == sys::IpAddress{prefix.address.ipv6, {}})
    return "not the unspecified address";
  if (prefix.address.ipv6 ? b[0] == 0xff : b[0] >= 224)
    return "not a multicast or reserved address";
  if (!prefix.address.ipv6 && b[0] == 127) return "not a loopback address";
  if (prefix.address == *sys::parse_ip("::1")) return "not a loopback address";
  // RFC 3021 (/31) and RFC 6164 (/127) have no network and broadcast addresses.
  if (prefix.length + 2u > bits) return {};
  if (!prefix.address.ipv6 && all_bits(prefix, false))
    return "a host in that network, e.g. 192.0.2.1/24";
  if (!prefix.address.ipv6 && all_bits(prefix, true)) return "not the broadcast address";
  return {};
}

}  // namespace

Codec<bool> boolean() {
  auto read = [](const Input& in) {
    const auto value = in.node.as_bool();
    if (!value) in.refuse("true or false");
    return value;
  };
  return {read, [](const bool& v) { return std::string(v ? "true" : "false"); }, "true or false"};
}

Codec<std::int64_t> number(std::int64_t low, std::int64_t high) {
  const std::string allowed =
      "a number from " + std::to_string(low) + " to " + std::to_string(high);
  auto read = [=](const Input& in) -> std::optional<std::int64_t> {
    const auto value = in.node.as_integer();
    if (value && *value >= low && *value <= high) return value;
    in.refuse(allowed);
    return std::nullopt;
  };
  return {read, [](const std::int64_t& v) { return std::to_string(v); }, allowed};
}

std::string show_duration(Duration d) {
  const std::int64_t ns = d.count();
  for (const Unit& unit : {kUnits[3], kUnits[2], kUnits[1]})
    if (ns % unit.ns == 0) return std::to_string(ns / unit.ns) + unit.name;
  return std::to_string(ns) + "ns";
}

std::optional<Duration> parse_duration(const std::string& text) {
  if (text == "0") return Duration::zero();
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || text.front() == '-' || !(value >= 0)) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (std::string_view(at, static_cast<std::size_t>(end - at)) != unit.name) continue;
    const double ns = value * static_cast<double>(unit.ns);
    constexpr double kLongest = 1e18;  // 31 years; beyond it a Duration would overflow
    if (ns > kLongest) return std::nullopt;
    return Duration(static_cast<std::int64_t>(ns + 0.5));
  }
  return std::nullopt;
}

Codec<Duration> duration(Duration low, Duration high) {
  const Duration example = std::clamp<Duration>(10ms, low, high);
  const std::string allowed = "a duration from " + show_duration(low) + " to " +
                              show_duration(high) + ", e.g. " + show_duration(example);
  auto read = [=](const Input& in) -> std::optional<Duration> {
    if (in.node.is_scalar()) {
      const auto value = parse_duration(in.node.text);
      if (value && *value >= low && *value <= high) return value;
    }
    in.refuse(allowed);
    return std::nullopt;
  };
  return {read, [](const Duration& d) { return std::to_string(d.count()); }, allowed};
}

Codec<std::string> text(std::size_t low, std::size_t high, const std::string& allowed,
                        std::function<bool(const std::string&)> accept) {
  auto read = [=](const Input& in) -> std::optional<std::string> {
    const auto value = in.node.as_text();
    if (value && value->size() >= low && value->size() <= high && (!accept || accept(*value)))
      return value;
    in.refuse(allowed);
    return std::nullopt;
  };
  return {read, show_text, allowed};
}

Codec<std::string> label(std::size_t low, std::size_t high) {
  const std::string allowed = "text of " + std::to_string(low) + " to " + std::to_string(high) +
                              " printable bytes without spaces at its ends";
  return text(low, high, allowed, [](const std::string& t) {
    if (t.empty()) return true;
    return is_printable(t.front()) && is_printable(t.back()) &&
           std::all_of(t.begin(), t.end(), [](char c) { return is_printable(c) || c == ' '; });
  });
}

Codec<std::string> device_name() {
  return text(1, kMaxDeviceName, "a device name of 1 to 15 bytes, as 'ip link' shows it",
              is_plain_name);
}

Codec<std::string> interface_name() {
  return text(1, kMaxInterfaceName, "the name of an interface, of 1 to 31 bytes", is_plain_name);
}

Codec<std::string> absolute_path() {
  return text(2, kMaxPath, "an absolute path without '.' and '..'", is_absolute_path);
}

Codec<std::string> ip_address() {
  const std::string allowed = "an IPv4 or IPv6 address, e.g. 192.0.2.1";
  auto read = [=](const Input& in) -> std::optional<std::string> {
    const auto address = in.node.is_scalar() ? sys::parse_ip(in.node.text) : std::nullopt;
    if (address) return sys::to_text(*address);
    in.refuse(allowed);
    return std::nullopt;
  };
  return {read, show_text, allowed};
}

Codec<std::string> listen_address() {
  const std::string allowed =
      "an address with a port, e.g. 127.0.0.1:9184 or \"[::1]:9184\", or the path of a Unix socket";
  auto read = [=](const Input& in) -> std::optional<std::string> {
    const auto at = in.node.is_scalar() ? sys::parse_listen_address(in.node.text) : std::nullopt;
    if (at) return sys::to_text(*at);
    in.refuse(allowed);
    return std::nullopt;
  };
  return {read, show_text, allowed};
}

Codec<std::string> subnet() {
  const std::string allowed = "a network with its prefix length, e.g. 192.0.2.0/24";
  auto read = [=](const Input& in) -> std::optional<std::string> {
    const auto prefix = in.node.is_scalar() ? sys::parse_ip_prefix(in.node.text) : std::nullopt;
    if (prefix && sys::subnet_of(*prefix) == *prefix) return sys::to_text(*prefix);
    in.refuse(prefix ? "the network itself: " + sys::to_text(sys::subnet_of(*prefix)) : allowed);
    return std::nullopt;
  };
  return {read, show_text, allowed};
}

Codec<AddressPrefix> interface_address() {
  const std::string allowed = "an address with its prefix length, e.g. 192.0.2.1/24";
  auto read = [=](const Input& in) -> std::optional<AddressPrefix> {
    const auto prefix = in.node.is_scalar() ? sys::parse_ip_prefix(in.node.text) : std::nullopt;
    const std::string why = prefix ? unfit(*prefix) : allowed;
    if (why.empty())
      return AddressPrefix{prefix->address.ipv6, prefix->address.bytes, prefix->length,
                           sys::to_text(*prefix)};
    in.refuse(why);
    return std::nullopt;
  };
  return {read, [](const AddressPrefix& a) { return a.text; }, allowed};
}

Codec<std::uint16_t> ethertype() {
  const std::string allowed = "an ethertype from 0x0600 to 0xffff, e.g. 0x9890";
  auto read = [=](const Input& in) -> std::optional<std::uint16_t> {
    // Frames of these belong to the kernel and to the neighbours' switches.
    constexpr std::uint16_t kTaken[] = {0x0800, 0x0806, 0x8100, 0x86dd, 0x8809,
                                        0x888e, 0x88a8, 0x88cc, 0x88e5};
    const auto value = in.node.as_integer();
    if (!value || *value < 0x0600 || *value > 0xffff) {
      in.refuse(allowed);
    } else if (std::find(std::begin(kTaken), std::end(kTaken), *value) != std::end(kTaken)) {
      in.refuse("an ethertype that no other protocol uses, e.g. 0x9890");
    } else {
      return static_cast<std::uint16_t>(*value);
    }
    return std::nullopt;
  };
  return {read, [](const std::uint16_t& v) { return std::to_string(v); }, allowed};
}

Codec<std::vector<std::string>> command_line() {
  const std::string allowed = "a program and its arguments as a list, e.g. [nft, -f, rules.nft]";
  const auto words = list_of(text(0, kMaxArgument, "a word of at most 1024 bytes"), 1,
                             kMaxArguments, Order::matters, "words");
  auto read = [=](const Input& in) -> std::optional<std::vector<std::string>> {
    if (!in.node.is_sequence() || in.node.items.empty() || in.node.items.front().text.empty()) {
      in.refuse(allowed);
      return std::nullopt;
    }
    return words.read(in);
  };
  return {read, words.show, allowed};
}

}  // namespace hotpair::config
