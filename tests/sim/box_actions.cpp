// How a box carries out what its node asks for, and how it answers.
#include "tests/sim/box.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

void Box::carry_out(const std::vector<Action>& actions) {
  const std::uint64_t born = incarnation_;
  for (const Action& action : actions) {
    world_.tell(*this, action);
    std::visit([&](const auto& a) { carry_out(a); }, action);
    if (born != incarnation_) return;
  }
}

// A request takes its time, and while the main loop stands still nothing is carried out.
void Box::answer_later(ActionId id, const Fault& fault, Fact failure,
                       std::function<void()> effect) {
  const bool silent = rng_.below(1000) < fault.silent_permille;
  const bool ok = rng_.below(1000) >= fault.fail_permille;
  if (silent) world_.note(Fact::action_unanswered);
  if (!ok) world_.note(failure);
  complete_after(fault.took, [this, id, silent, ok, took = fault.took, effect] {
    if (ok && !silent) effect();
    if (!silent) deliver({local_now(), ActionDone{id, ok, took, ok ? "" : "simulated failure"}});
  });
}

void Box::complete_after(Duration delay, std::function<void()> what) {
  after(delay, [this, what] {
    if (stalled_ || paused_) return complete_after(1ms, what);
    what();
  });
}

void Box::carry_out(const PersistState& action) {
  answer_later(action.id, faults.persist, Fact::persist_failed,
               [this, state = action.state, order = ++persist_requests_] {
                 if (order < disk_as_of_) return;  // one worker writes, in order
                 disk_as_of_ = order;
                 disk = state;
               });
}

// Addresses are changed in order, one request after the other.
void Box::change_addresses(ActionId id, Fault fault, bool hold) {
  addresses_busy_until_ = std::max(addresses_busy_until_, local_now()) + fault.took;
  fault.took = addresses_busy_until_ - local_now();
  answer_later(id, fault, hold ? Fact::claim_failed : Fact::withdraw_failed,
               [this, hold, order = ++address_requests_] {
                 if (order < addresses_as_of_) return;
                 addresses_as_of_ = order;
                 held_ = hold;
               });
}

void Box::carry_out(const WithdrawAddresses& action) {
  change_addresses(action.id, faults.withdraw, false);
}

void Box::carry_out(const ClaimAddresses& action) {
  change_addresses(action.id, faults.claim, true);
}

// In the order of asking, as they come by a socket: one that is late is overtaken by none.
void Box::carry_out(const SetDataplaneRole& action) {
  answer_later(action.id, faults.dataplane, Fact::dataplane_failed, [this, action] {
    if (!dataplane.alive || action.id < dataplane_obeyed_) return;
    dataplane_obeyed_ = action.id;
    dataplane.role = action.role;
    dataplane.epoch = action.epoch;
    world_.dataplanes_changed();
  });
}

void Box::carry_out(const DrainDataplane& action) {
  answer_later(action.id, faults.drain, Fact::drain_failed, [] {});
}

void Box::carry_out(const PublishHeartbeat& action) {
  published_ = action.heartbeat;
  if (action.at_once && !paused_) send_heartbeat(false);
}

void Box::carry_out(const Exit&) {
  end_agent();
}

void Box::carry_out(const Announce&) {
  world_.announced(*this);
}

}  // namespace hotpair::simulation
