// What a session-sync device is, by the words that name it to DPDK: a card by its PCI address, with
// or without domain and settings ("0000:3b:00.1", "3b:00.1,rx_vec=0"), or a driver without a card
// of its own, over a kernel interface or not ("net_af_packet0,iface=eth5", "net_memif0").
#pragma once

#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace hotpair {

// The whole address, as /sys/bus/pci/devices has it; none of what is not a card's.
inline std::optional<std::string> pci_address_of(std::string_view device) {
  constexpr std::string_view kForm = "hhhh:hh:hh.7";  // h: a hexadecimal digit, 7: up to that
  std::string address(device.substr(0, device.find(',')));
  if (address.size() == kForm.size() - 5) address.insert(0, "0000:");
  if (address.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    char& c = address[i];
    const bool fits = kForm[i] == 'h'   ? std::isxdigit(static_cast<unsigned char>(c)) != 0
                      : kForm[i] == '7' ? c >= '0' && c <= '7'
                                        : c == kForm[i];
    if (!fits) return std::nullopt;
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return address;
}

inline bool is_af_xdp(std::string_view device) {
  return device.starts_with("net_af_xdp");
}

// The value of iface=; empty when there is none.
inline std::string kernel_interface_of(std::string_view device) {
  constexpr std::string_view kKey = ",iface=";
  const std::size_t key = device.find(kKey);
  if (key == std::string_view::npos) return "";
  device.remove_prefix(key + kKey.size());
  return std::string(device.substr(0, device.find(',')));
}

}  // namespace hotpair
