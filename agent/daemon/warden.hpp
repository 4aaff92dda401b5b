// Two processes, each of which takes the addresses away when hotpaird no longer can: killed,
// stopped, or its main loop late by more than the peer's detection time. So a node without a
// running agent never keeps them. Two, so that this holds also while one that died is replaced.
//
//   hotpaird --- shared memory: tick, armed, what to remove ---> hotpair-warden, hotpair-warden
//            <-- shared memory: fence state -------------------
//            === a socket pair each: a byte wakes or dismisses; end of file: hotpaird is dead ===
//
// A warden is this program started anew: it has nothing of hotpaird's memory, so also one that is
// started later knows no secret. It has a netlink socket of its own and stands above hotpaird in
// priority, under another name so that a careless pkill does not take both. It ignores SIGTERM: it
// goes when it is dismissed, or after hotpaird.
//
// Owned by the main loop; start_process() alone may be called elsewhere.
#pragma once

#include <array>
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

constexpr const char* kWardenName = "hotpair-warden";
constexpr int kWardenPriority = 60;
constexpr std::size_t kWardens = 2;
constexpr int kWardenSocket = 3, kWardenMemoryFile = 4;  // descriptors it begins with

struct WardenMemory;

class Warden {
 public:
  struct Process {
    sys::FileDescriptor socket, pidfd;  // pidfd, readable: it is dead
    int pid = 0;                        // 0: none
  };

  // `program` calls be_warden(). Call before threads are kept off CPUs: wardens run on all that
  // the caller may use.
  static Result<std::unique_ptr<Warden>> create(std::string program = "/proc/self/exe");
  ~Warden();  // dismisses them
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;

  // Another process, which guards what is armed as soon as it runs. It is waited for until it has
  // begun to load. Any thread.
  Result<Process> start_process() const;
  void adopt(std::size_t slot, Process process);
  void forget(std::size_t slot);  // it is dead
  const Process& process(std::size_t slot) const { return processes_.at(slot); }

  // From now on, and with a tick older than `detection`, `removal` is carried out.
  void arm(std::span<const sys::AddressOperation> removal, Duration detection);
  void disarm();
  // A later tick than `detection` is forgiven from now on; for a node with no peer to take over.
  void set_detection(Duration detection);
  void tick(Instant now);

  // True once after a warden has acted: waits (bounded) until it is done and makes them ready
  // again.
  bool was_fenced();

 private:
  Warden(std::string program, WardenMemory* memory, sys::FileDescriptor file)
      : program_(std::move(program)), memory_(memory), file_(std::move(file)) {}
  void await_withdrawal();
  void wake(char what);

  std::string program_;
  WardenMemory* memory_;
  sys::FileDescriptor file_;
  std::array<Process, kWardens> processes_;
};

}  // namespace hotpair::daemon
