// The addresses that follow the primary: claimed and given back in one kernel transaction each,
// lingering for a moment where a planned move wants it, put back when somebody else takes one away.
//
// While hotpaird runs, every device of the box's own that a floating address stands on also has a
// placeholder 169.254.254.<chassis>/32: the kernel flushes a device's IPv4 routes and neighbours
// with its last address, and flows still arriving after a withdrawal would have nowhere to go.
// Addresses under a virtual MAC stand on a macvlan instead, which is up while they are held and
// down otherwise. After a planned move it stays up, without them, until the peer is heard as
// primary: a frame that leaves later under the virtual MAC would draw the switch back to this node.
//
// Owned by the main loop, which never waits for the kernel here: operations are handed to `apply`,
// which carries them out in order elsewhere (the kernel's one lock for all devices can be held for
// long by others) and calls back in the main loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "agent/daemon/address_losses.hpp"
#include "agent/daemon/address_operations.hpp"
#include "agent/daemon/warden.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/netlink_addr.hpp"

namespace hotpair::daemon {

constexpr Duration kLinger = 2s;  // longer than any queue or neighbour update between the two
// What we removed ourselves was seen to go long before; what is still there is somebody else's.
constexpr Duration kForeignPatience = 300ms;

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
  void on_links_changed();    // one went up or down: a macvlan follows the role and nobody else
  void peer_is_primary();     // it has claimed and announced them
  // A warden has withdrawn them in our stead.
  void fenced();

  bool claimed() const { return claimed_; }
  bool lingering() const { return !linger_.empty(); }
  const std::vector<bool>& held() const { return held_; }
  // Of those that somebody gave to this node although it is not primary.
  const std::vector<bool>& foreign() const { return foreign_; }
  const AddressLosses& losses() const { return losses_; }
  std::vector<std::string> warnings() const;

 private:
  using Claimed = std::function<void(const AddressOutcome&, const std::vector<std::size_t>& added)>;

  void set_placeholders();
  void end_linger();
  void start_linger(const std::vector<bool>& were_held);
  bool stays_up(int ifindex) const;
  void disarm_warden();
  void tell_warden();
  void forget_unresolved();
  std::vector<std::size_t> missing() const;
  void claim_these(const std::vector<std::size_t>& wanted, Claimed done);
  std::vector<std::size_t> finish_claim(const ClaimBatch& batch,
                                        const std::vector<sys::OperationResult>& results);
  void schedule_restore();
  void restore();
  void report_restored(const std::vector<std::size_t>& due, const std::vector<std::size_t>& added);
  void report_foreign();
  void set_claimed(bool claimed);
  std::string name_of(std::size_t index) const;  // "192.0.2.1/24 on lan"

  Needs needs_;
  const NodePlan* plan_ = nullptr;
  std::uint64_t generation_ = 0;  // of plan and claim: answers to an older one are void
  bool claimed_ = false;
  std::vector<bool> held_, foreign_, foreign_reported_;
  std::vector<sys::AddressOperation> linger_;  // the removal of what lingers
  std::vector<int> linger_macvlans_;           // that are up for it
  sys::TimerId linger_timer_ = 0, restore_timer_ = 0, foreign_timer_ = 0;
  AddressLosses losses_;
};

}  // namespace hotpair::daemon
