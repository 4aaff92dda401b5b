// The addresses that follow the primary: claimed and given back in one kernel transaction each,
// lingering for a moment where a planned move wants it, put back when somebody else takes one away.
//
// While hotpaird runs, every device of a floating address also has a placeholder
// 169.254.254.<chassis>/32: the kernel flushes a device's IPv4 routes and neighbours with its last
// address, and flows still arriving after a withdrawal would have nowhere to go.
//
// Owned by the main loop, which never waits for the kernel here: operations are handed to `apply`,
// which carries them out in order elsewhere (the kernel's one lock for all devices can be held for
// long by others) and calls back in the main loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "agent/daemon/address_operations.hpp"
#include "agent/daemon/warden.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/netlink_addr.hpp"

namespace hotpair::daemon {

constexpr Duration kLinger = 2s;  // longer than any queue or neighbour update between the two
constexpr Duration kRestoreInterval =
    200ms;  // two programs that fight over an address stay bounded

struct AddressOutcome {
  bool ok = true;
  std::string error;  // of the first that failed
};
using AddressDone = std::function<void(const AddressOutcome&)>;

using ApplyDone = std::function<void(const std::vector<sys::OperationResult>&)>;
using Apply = std::function<void(std::vector<sys::AddressOperation>, ApplyDone)>;

class Addresses {
 public:
  struct Needs {
    sys::EventLoop& loop;
    Apply apply;
    FindDevice find_device;
    Warden* warden;  // null: none (it is only told)
    Log log;
    std::function<void()> announce;  // what is held must be announced again
    // Neighbours on these devices that were asked for and did not answer are to be asked afresh;
    // carried out in order with `apply`. Empty: nobody does.
    std::function<void(std::vector<int> ifindexes)> forget_unresolved = {};
  };
  explicit Addresses(Needs needs) : needs_(std::move(needs)) {}

  // Takes a plan: placeholders, and, while claimed, what is new is claimed and what is no longer
  // named given back. The plan must outlive the next call.
  void configure(const NodePlan& plan);

  void claim(AddressDone done);
  void withdraw(bool linger, AddressDone done);

  void on_change(const sys::AddressChange& change);
  void on_devices_changed();  // one appeared, or was renamed
  // The warden has withdrawn them in our stead.
  void fenced();

  bool claimed() const { return claimed_; }
  bool lingering() const { return !linger_.empty(); }
  const std::vector<bool>& held() const { return held_; }
  std::size_t restored() const { return restored_; }

 private:
  void set_placeholders();
  void restore();
  void end_linger();
  void tell_warden();
  void forget_unresolved();
  void claim_missing(AddressDone done);
  void finish_claim(const std::vector<std::size_t>& indexes,
                    const std::vector<sys::OperationResult>& results);
  void report_restored(const std::vector<bool>& before, const AddressOutcome& outcome);
  void remove_foreign(std::size_t index);

  Needs needs_;
  const NodePlan* plan_ = nullptr;
  std::uint64_t generation_ = 0;  // of plan and claim: answers to an older one are void
  bool claimed_ = false;
  std::vector<bool> held_;
  std::vector<sys::AddressOperation> linger_;  // the removal of the lingering routes
  sys::TimerId linger_timer_ = 0, restore_timer_ = 0;
  Instant last_restore_{};
  std::size_t restored_ = 0;
};

}  // namespace hotpair::daemon
