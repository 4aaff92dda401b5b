// The kinds of values that the configuration is made of.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "platform/config/combine.hpp"

namespace hotpair::config {

Codec<bool> boolean();
Codec<Duration> duration(Duration low, Duration high);
std::string show_duration(Duration d);  // "10ms"
std::optional<Duration> parse_duration(const std::string& text);

// Text of low to high bytes of which `accept` says it is well formed.
Codec<std::string> text(std::size_t low, std::size_t high, const std::string& allowed,
                        std::function<bool(const std::string&)> accept = nullptr);
Codec<std::string> label(std::size_t low, std::size_t high);  // printable, no spaces at its ends
Codec<std::string> device_name();                             // as the kernel takes it
Codec<std::string> interface_name();                          // the cluster's name for a device
Codec<std::string> absolute_path();
Codec<std::string> ip_address();
Codec<std::string> listen_address();       // 127.0.0.1:9184, [::1]:9184, /run/hotpair/x.sock
Codec<std::string> subnet();               // host bits clear
Codec<AddressPrefix> interface_address();  // 192.0.2.1/24: what a device can be given
Codec<std::uint16_t> ethertype();
Codec<std::vector<std::string>>
command_line();  // a program, by path or by name in $PATH, and arguments

Codec<std::int64_t> number(std::int64_t low, std::int64_t high);

template <typename T>
Codec<T> integer(std::type_identity_t<T> low, std::type_identity_t<T> high) {
  const Codec<std::int64_t> wide =
      number(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high));
  auto read = [wide](const Input& in) -> std::optional<T> {
    const auto value = wide.read(in);
    if (!value) return std::nullopt;
    return static_cast<T>(*value);
  };
  return {read, [](const T& v) { return std::to_string(v); }, wide.allowed};
}

template <typename E>
Codec<E> choice(std::initializer_list<std::pair<const char*, E>> names) {
  std::vector<std::pair<std::string, E>> known(names.begin(), names.end());
  std::string allowed;
  for (const auto& [name, value] : known) allowed += (allowed.empty() ? "" : " or ") + name;
  auto read = [known, allowed](const Input& in) -> std::optional<E> {
    for (const auto& [name, value] : known)
      if (in.node.is_scalar() && in.node.text == name) return value;
    in.refuse(allowed);
    return std::nullopt;
  };
  auto show = [known](const E& v) {
    for (const auto& [name, value] : known)
      if (value == v) return name;
    return std::string("?");
  };
  return {read, show, allowed};
}

}  // namespace hotpair::config
