// What hotpaird and its wardens share. Written by hotpaird but for `armed` and `fence`.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include <sched.h>

#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_addr.hpp"

namespace hotpair::daemon {

enum class Fence : std::uint32_t { none = 0, withdrawing = 1, withdrawn = 2 };

// Over the socket pairs: to a warden, and from it.
constexpr char kDismiss = 'q', kWake = 'w', kDone = 'd';
constexpr Duration kWithdrawalTime = 100ms;

struct Removal {
  std::uint32_t count = 0;
  sys::AddressOperation operations[kMaxRemovals];
};

// Two lists, of which `active` names the one to use: a warden may look at any moment, also while
// hotpaird is stopped in the middle of writing the other.
struct WardenMemory {
  std::atomic<std::int64_t> tick_ns{0};
  std::atomic<std::int64_t> detection_ns{0};
  std::atomic<std::uint32_t> armed{0};
  std::atomic<Fence> fence{Fence::none};
  std::atomic<std::uint32_t> active{0};
  Removal removals[2];
  cpu_set_t cpus{};  // where wardens may run: hotpaird itself keeps off the data plane's CPU
};
static_assert(std::is_trivially_copyable_v<sys::AddressOperation>);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<Fence>::is_always_lock_free);

}  // namespace hotpair::daemon
