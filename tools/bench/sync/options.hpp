// What `hotpair-bench sync` is asked to do.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/time.hpp"

namespace hotpair::bench::sync {

struct Mix {  // of a hundred deltas
  unsigned creates = 10, updates = 80, deletes = 10;
};

enum class Ends : std::uint8_t { both, primary, backup };  // that this process plays

struct Options {
  std::uint32_t sessions = 1'000'000;
  std::uint64_t deltas = 0;  // of the phases update and mix; 0: as many as sessions
  Mix mix;
  std::string phases = "create,update,mix,delete";
  unsigned ipv6_percent = 0, nat_percent = 0;
  double loss_percent = 0, reorder_percent = 0;
  bool sealed = true;
  std::uint64_t rate = 0;  // deltas a second; 0: as fast as they are taken
  std::uint64_t seed = 1;
  std::uint16_t credit = 128;  // frames that may be under way
  std::uint32_t frame = 1514;  // bytes, Ethernet header included
  Duration most_time{std::chrono::seconds(300)};
  Ends ends = Ends::both;
  std::string device, peer_device;  // DPDK devices; none: rings between two threads
  bool pin = true;                  // each end to a CPU of its own
  std::string json, html;           // files; "-": standard output
  std::uint64_t deltas_of_a_phase() const { return deltas != 0 ? deltas : sessions; }
};

}  // namespace hotpair::bench::sync
