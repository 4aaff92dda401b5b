// The process that takes the addresses away when hotpaird no longer can: killed, stopped, or its
// main loop late by more than the peer's detection time. So a node without a running agent never
// keeps them.
//
//   hotpaird --- shared memory: tick, armed, what to remove ---> hotpair-warden
//            <-- shared memory: fence state -------------------
//            === socket pair: a byte wakes or dismisses; end of file: hotpaird is dead ===
//
// Forked before any thread, with a netlink socket of its own and above hotpaird in priority, under
// another name so that a careless pkill does not take both. It ignores SIGTERM: it goes when it is
// dismissed, or after hotpaird.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "agent/daemon/node_config.hpp"
#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/netlink_addr.hpp"

namespace hotpair::daemon {

constexpr int kWardenPriority = 60;

struct WardenMemory;

class Warden {
 public:
  // `arguments` is the memory behind argv, overwritten in the child only. Call in a process with
  // one thread.
  static Result<std::unique_ptr<Warden>> start(std::span<char> arguments);
  ~Warden();  // dismisses it
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  // From now on, and with a tick older than `detection`, `removal` is carried out.
  void arm(std::span<const sys::AddressOperation> removal, Duration detection);
  void disarm();
  // A later tick than `detection` is forgiven from now on; for a node with no peer to take over.
  void set_detection(Duration detection);
  void tick(Instant now);
  Instant last_tick() const;  // any thread

  // True once after the warden has acted: waits (bounded) until it is done and makes it ready
  // again.
  bool was_fenced();

  int pidfd() const { return pidfd_.get(); }  // readable: the warden is dead
  int pid() const { return pid_; }

 private:
  void await_withdrawal();
  Warden(WardenMemory* memory, sys::FileDescriptor socket, sys::FileDescriptor pidfd, int pid);
  void wake(char what);

  WardenMemory* memory_;
  sys::FileDescriptor socket_, pidfd_;
  int pid_;
};

}  // namespace hotpair::daemon
