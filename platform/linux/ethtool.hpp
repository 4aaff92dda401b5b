// What a network device's driver says of itself (linux/ethtool.h), asked once.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/result.hpp"

namespace hotpair::sys {

struct DriverFacts {
  enum class Duplex : std::uint8_t { unknown, half, full };
  Duplex duplex = Duplex::unknown;
  std::string bus;  // "0000:3b:00.1"; empty: none, or not told
  bool large_receive_offload = false;
};

// Absent facts are left at their defaults; fails only when nothing can be asked.
Result<DriverFacts> read_driver_facts(const std::string& device);

}  // namespace hotpair::sys
