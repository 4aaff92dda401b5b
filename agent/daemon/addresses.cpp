#include "agent/daemon/addresses.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using What = sys::AddressOperation::What;

AddressOutcome first_failure(const std::vector<sys::OperationResult>& results) {
  for (const auto& result : results)
    if (!result.ok) return {false, result.text};
  return {};
}

sys::AddressOperation link_down(int ifindex) {
  Device device;
  device.ifindex = ifindex;
  return link_operation(What::link_down, device);
}

}  // namespace

void Addresses::configure(const NodePlan& plan) {
  const bool was_claimed = claimed_;
  std::vector<sys::AddressOperation> gone;
  if (was_claimed)
    for (const auto& old : plan_->addresses) {
      const bool kept = std::any_of(
          plan.addresses.begin(), plan.addresses.end(),
          [&](const auto& a) { return a.device == old.device && a.address == old.address; });
      const auto device = needs_.find_device(old.device);
      if (!kept && device) gone.push_back(delete_operation(old, *device));
    }
  if (!gone.empty()) needs_.apply(gone, [](const auto&) {});
  end_linger();
  plan_ = &plan;
  held_.assign(plan.addresses.size(), false);
  losses_.reset(plan.addresses.size());
  set_claimed(was_claimed);
  set_placeholders();
  if (was_claimed)
    claim([this](const AddressOutcome& outcome) {
      if (!outcome.ok) needs_.log.error("claim-failed", outcome.error);
      needs_.announce();
    });
}

// What was known of the addresses under the role, or the plan, before is void.
void Addresses::set_claimed(bool claimed) {
  claimed_ = claimed;
  ++generation_;
  losses_.forget_pending();
  needs_.loop.cancel(std::exchange(restore_timer_, 0));
  foreign_.assign(plan_->addresses.size(), false);
  foreign_reported_ = foreign_;
}

void Addresses::set_placeholders() {
  std::vector<sys::AddressOperation> operations;
  for (const auto& name : own_devices(plan_->addresses))
    if (const auto device = needs_.find_device(name))
      operations.push_back(placeholder_operation(plan_->node.self, *device, true));
  if (operations.empty()) return;
  needs_.apply(operations, [this](const auto& results) {
    if (const auto outcome = first_failure(results); !outcome.ok)
      needs_.log.warning("placeholder-failed", outcome.error);
  });
}

void Addresses::tell_warden() {
  if (needs_.warden != nullptr)
    needs_.warden->arm(give_back(plan_->addresses, needs_.find_device),
                       plan_->node.detection_time());
}

void Addresses::claim(AddressDone done) {
  tell_warden();  // first: an address is never held without somebody who can take it away
  set_claimed(true);
  forget_unresolved();  // before traffic comes: what waits for an answer then has just been asked
  claim_these(missing(),
              [done = std::move(done)](const auto& outcome, const auto&) { done(outcome); });
  end_linger();  // behind the claim: the subnets are reachable throughout
}

void Addresses::forget_unresolved() {
  std::vector<int> ifindexes;
  for (const auto& name : distinct_devices(plan_->addresses))
    if (const auto device = needs_.find_device(name)) ifindexes.push_back(device->ifindex);
  if (needs_.forget_unresolved && !ifindexes.empty()) needs_.forget_unresolved(ifindexes);
}

std::vector<std::size_t> Addresses::missing() const {
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < held_.size(); ++i)
    if (!held_[i]) indexes.push_back(i);
  return indexes;
}

void Addresses::claim_these(const std::vector<std::size_t>& wanted, Claimed done) {
  AddressOutcome outcome;
  ClaimBatch batch;
  for (const std::size_t i : wanted) {
    const auto& address = plan_->addresses[i];
    const auto device = needs_.find_device(address.device);
    if (device && (device->macvlan || !address.virtual_mac)) {
      batch.add(address, i, *device);
    } else if (outcome.ok) {
      outcome = {false, address.address.text +
                            " has no place: " + (address.virtual_mac ? "macvlan " : "device ") +
                            address.device + " does not exist; see 'ip -d link'"};
    }
  }
  batch.finish();
  if (batch.operations().empty()) return done(outcome, {});
  needs_.apply(batch.operations(), [this, outcome, batch, done = std::move(done),
                                    generation = generation_](const auto& results) {
    const auto added =
        generation == generation_ ? finish_claim(batch, results) : std::vector<std::size_t>{};
    done(outcome.ok ? first_failure(results) : outcome, added);
  });
}

// Returns those that were not there before.
std::vector<std::size_t> Addresses::finish_claim(const ClaimBatch& batch,
                                                 const std::vector<sys::OperationResult>& results) {
  std::vector<std::size_t> added;
  for (const auto& [index, operation] : batch.addresses()) {
    held_[index] = results[operation].ok && batch.carried(operation, results);
    if (held_[index] && results[operation].changed) added.push_back(index);
  }
  return added;
}

void Addresses::withdraw(bool linger, AddressDone done) {
  const std::vector<bool> were_held = held_;
  set_claimed(false);
  if (linger) start_linger(were_held);
  // What stands on a device that is gone went with it.
  auto operations = give_back(plan_->addresses, needs_.find_device);
  std::erase_if(operations, [this](const auto& operation) {
    return operation.what == What::link_down && stays_up(operation.address.ifindex);
  });
  needs_.apply(operations,
               [this, done = std::move(done), generation = generation_](const auto& results) {
                 const auto outcome = first_failure(results);
                 if (generation == generation_) {
                   held_.assign(held_.size(), false);
                   if (outcome.ok && linger_macvlans_.empty()) disarm_warden();
                 }
                 done(outcome);
               });
}

// What is added here and cannot be costs packets; the move goes on.
void Addresses::start_linger(const std::vector<bool>& were_held) {
  end_linger();
  std::vector<sys::AddressOperation> additions;
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i) {
    const auto& address = plan_->addresses[i];
    const auto device = were_held[i] ? needs_.find_device(address.device) : std::nullopt;
    if (!device) continue;
    if (address.virtual_mac && !stays_up(device->ifindex)) {
      linger_macvlans_.push_back(device->ifindex);
      additions.push_back(placeholder_operation(plan_->node.self, *device, true));
      linger_.push_back(placeholder_operation(plan_->node.self, *device, false));
    }
    if (const auto route = linger_operation(address, *device, true)) {
      additions.push_back(*route);
      linger_.push_back(*linger_operation(address, *device, false));
    }
  }
  if (additions.empty()) return;
  needs_.apply(additions, [](const auto&) {});
  linger_timer_ = needs_.loop.call_at(sys::now() + kLinger, [this] { end_linger(); });
}

bool Addresses::stays_up(int ifindex) const {
  return std::find(linger_macvlans_.begin(), linger_macvlans_.end(), ifindex) !=
         linger_macvlans_.end();
}

void Addresses::end_linger() {
  needs_.loop.cancel(std::exchange(linger_timer_, 0));
  if (linger_.empty()) return;
  auto operations = std::exchange(linger_, {});
  const auto macvlans = std::exchange(linger_macvlans_, {});
  for (const int ifindex : macvlans)
    if (!claimed_) operations.insert(operations.begin(), link_down(ifindex));
  needs_.apply(operations, [this, generation = generation_, any = !macvlans.empty()](const auto&) {
    if (any && generation == generation_ && !claimed_) disarm_warden();
  });
}

void Addresses::peer_is_primary() {
  if (!linger_macvlans_.empty() && !claimed_) end_linger();
}

void Addresses::disarm_warden() {
  if (needs_.warden != nullptr) needs_.warden->disarm();
}

void Addresses::fenced() {
  set_claimed(false);
  held_.assign(held_.size(), false);
}

void Addresses::on_change(const sys::AddressChange& change) {
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i) {
    const auto& address = plan_->addresses[i];
    const auto device = needs_.find_device(address.device);
    if (!device || device->ifindex != change.address.ifindex) continue;
    if (!(to_interface_address(address, device->ifindex).prefix == change.address.prefix)) continue;
    if (change.duplicate)
      needs_.log.error("address-duplicate",
                       name_of(i) + " is also used by another station on the link");
    if (!claimed_) {
      foreign_[i] = change.added;
      if (change.added && foreign_timer_ == 0)
        foreign_timer_ =
            needs_.loop.call_at(sys::now() + kForeignPatience, [this] { report_foreign(); });
    } else if (!change.added) {
      held_[i] = false;
      losses_.lost(i, sys::now());
    }
  }
  if (claimed_) schedule_restore();
}

void Addresses::schedule_restore() {
  needs_.loop.cancel(std::exchange(restore_timer_, 0));
  if (const auto due = losses_.next_due(); due && claimed_)
    restore_timer_ = needs_.loop.call_at(*due, [this] { restore(); });
}

void Addresses::restore() {
  restore_timer_ = 0;
  std::vector<std::size_t> due = losses_.take_due(sys::now());
  due.erase(std::remove_if(due.begin(), due.end(), [this](std::size_t i) { return held_[i]; }),
            due.end());
  if (!claimed_ || due.empty()) return schedule_restore();
  claim_these(due, [this, due, generation = generation_](const auto& outcome, const auto& added) {
    if (generation != generation_) return;
    if (!outcome.ok) needs_.log.error("claim-failed", outcome.error);
    report_restored(due, added);
  });
}

void Addresses::report_restored(const std::vector<std::size_t>& due,
                                const std::vector<std::size_t>& added) {
  const Instant now = sys::now();
  std::string names;
  bool any_held = false;
  for (const std::size_t i : due) {
    any_held = any_held || held_[i];
    if (!held_[i]) losses_.failed(i, now);
  }
  for (const std::size_t i : added) {
    losses_.put_back(i, now);
    names += (names.empty() ? "" : ", ") + name_of(i);
  }
  if (!names.empty())
    needs_.log.warning("address-restored",
                       "somebody removed " + names + " from the primary; put back",
                       {{"addresses", names}});
  if (any_held) needs_.announce();
  schedule_restore();
}

void Addresses::report_foreign() {
  foreign_timer_ = 0;
  for (std::size_t i = 0; !claimed_ && i < foreign_.size(); ++i) {
    if (foreign_[i] && !foreign_reported_[i])
      needs_.log.error("address-foreign", "somebody gave this node " + name_of(i) +
                                              ", which follows the primary: two stations may "
                                              "answer for it; 'ip address del " +
                                              plan_->addresses[i].address.text + " dev " +
                                              plan_->addresses[i].device +
                                              "' and take it from whatever configured it");
    foreign_reported_[i] = foreign_[i];
  }
}

std::string Addresses::name_of(std::size_t index) const {
  return plan_->addresses[index].address.text + " on " + plan_->addresses[index].device;
}

std::vector<std::string> Addresses::warnings() const {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const std::string& device = plan_->addresses[i].device;
    if (const auto count = losses_.count(i); count > 0)
      list.push_back(name_of(i) + " was removed by somebody else and put back " +
                     std::to_string(count) + (count == 1 ? " time" : " times") +
                     "; look for another program that manages the device: 'networkctl status " +
                     device + "', 'nmcli device show " + device + "'");
    if (foreign_[i] && foreign_reported_[i])
      list.push_back(name_of(i) +
                     " was configured by somebody on this node, which is not primary: two stations "
                     "may answer for it; 'ip address del " +
                     plan_->addresses[i].address.text + " dev " + device + "'");
  }
  return list;
}

void Addresses::on_devices_changed() {
  set_placeholders();
  if (!claimed_) return;
  tell_warden();
  held_.assign(held_.size(), false);  // a device that came back came without them
  claim_these(missing(), [this](const auto& outcome, const auto&) {
    if (!outcome.ok) needs_.log.warning("claim-failed", outcome.error);
    if (claimed_) needs_.announce();
  });
}

void Addresses::on_links_changed() {
  std::vector<sys::AddressOperation> silence;
  for (const auto& name : macvlans(plan_->addresses)) {
    const auto device = needs_.find_device(name);
    if (!device || !device->macvlan || device->up == claimed_) continue;
    if (stays_up(device->ifindex)) continue;
    if (!claimed_) silence.push_back(link_operation(What::link_down, *device));
    bool was_up = false;
    for (std::size_t i = 0; claimed_ && i < held_.size(); ++i) {
      if (!held_[i] || plan_->addresses[i].device != name) continue;
      held_[i] = false;
      was_up = true;
      losses_.lost(i, sys::now());
    }
    if (was_up)
      needs_.log.warning("address-restored",
                         "somebody set " + name + " of the primary down; set up again",
                         {{"device", name}});
  }
  if (claimed_) schedule_restore();
  if (!silence.empty()) needs_.apply(silence, [](const auto&) {});
}

}  // namespace hotpair::daemon
