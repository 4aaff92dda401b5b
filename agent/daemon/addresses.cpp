#include "agent/daemon/addresses.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

AddressOutcome first_failure(const std::vector<sys::OperationResult>& results) {
  for (const auto& result : results)
    if (!result.ok) return {false, result.text};
  return {};
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
  ++generation_;
  plan_ = &plan;
  held_.assign(plan.addresses.size(), false);
  set_placeholders();
  if (was_claimed)
    claim([this](const AddressOutcome& outcome) {
      if (!outcome.ok) needs_.log.error("claim-failed", outcome.error);
      needs_.announce();
    });
}

void Addresses::set_placeholders() {
  std::vector<sys::AddressOperation> operations;
  for (const auto& name : distinct_devices(plan_->addresses))
    if (const auto device = needs_.find_device(name))
      operations.push_back(placeholder_operation(plan_->node.self, *device, true));
  if (operations.empty()) return;
  needs_.apply(operations, [this](const auto& results) {
    if (const auto outcome = first_failure(results); !outcome.ok)
      needs_.log.warning("placeholder-failed", outcome.error);
  });
}

void Addresses::tell_warden() {
  if (needs_.warden == nullptr) return;
  std::vector<sys::AddressOperation> removal;
  for (const auto& address : plan_->addresses)
    if (const auto device = needs_.find_device(address.device))
      removal.push_back(delete_operation(address, *device));
  needs_.warden->arm(removal, plan_->node.detection_time());
}

void Addresses::claim(AddressDone done) {
  tell_warden();  // first: an address is never held without somebody who can take it away
  claimed_ = true;
  ++generation_;
  forget_unresolved();  // before traffic comes: what waits for an answer then has just been asked
  claim_missing(std::move(done));
  end_linger();  // behind the claim: the subnets are reachable throughout
}

void Addresses::forget_unresolved() {
  std::vector<int> ifindexes;
  for (const auto& name : distinct_devices(plan_->addresses))
    if (const auto device = needs_.find_device(name)) ifindexes.push_back(device->ifindex);
  if (needs_.forget_unresolved && !ifindexes.empty()) needs_.forget_unresolved(ifindexes);
}

void Addresses::claim_missing(AddressDone done) {
  AddressOutcome outcome;
  std::vector<sys::AddressOperation> operations;
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i) {
    if (held_[i]) continue;
    const auto& address = plan_->addresses[i];
    if (const auto device = needs_.find_device(address.device)) {
      operations.push_back(add_operation(address, *device));
      indexes.push_back(i);
    } else if (outcome.ok) {
      outcome = {false, address.address.text + " has no place: device " + address.device +
                            " does not exist; see 'ip link'"};
    }
  }
  if (operations.empty()) return done(outcome);
  needs_.apply(operations, [this, outcome, indexes, done = std::move(done),
                            generation = generation_](const auto& results) {
    if (generation == generation_) finish_claim(indexes, results);
    done(outcome.ok ? first_failure(results) : outcome);
  });
}

void Addresses::finish_claim(const std::vector<std::size_t>& indexes,
                             const std::vector<sys::OperationResult>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) held_[indexes[i]] = results[i].ok;
}

void Addresses::withdraw(bool linger, AddressDone done) {
  claimed_ = false;
  ++generation_;
  needs_.loop.cancel(restore_timer_);
  restore_timer_ = 0;
  std::vector<sys::AddressOperation> routes, operations;
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i) {
    const auto& address = plan_->addresses[i];
    const auto device = needs_.find_device(address.device);
    if (!device) continue;  // what is gone took its addresses along
    if (auto route = linger && held_[i] ? linger_operation(address, *device, true) : std::nullopt)
      routes.push_back(*route);
    operations.push_back(delete_operation(address, *device));
  }
  if (!routes.empty()) {
    needs_.apply(routes, [](const auto&) {});  // without one, packets are lost; the move goes on
    needs_.loop.cancel(linger_timer_);
    linger_ = routes;
    for (auto& route : linger_) route.what = sys::AddressOperation::What::delete_route;
    linger_timer_ = needs_.loop.call_at(sys::now() + kLinger, [this] { end_linger(); });
  }
  needs_.apply(operations,
               [this, done = std::move(done), generation = generation_](const auto& results) {
                 const auto outcome = first_failure(results);
                 if (generation == generation_) {
                   held_.assign(held_.size(), false);
                   if (outcome.ok && needs_.warden != nullptr) needs_.warden->disarm();
                 }
                 done(outcome);
               });
}

void Addresses::end_linger() {
  needs_.loop.cancel(linger_timer_);
  linger_timer_ = 0;
  if (!linger_.empty()) needs_.apply(linger_, [](const auto&) {});
  linger_.clear();
}

void Addresses::fenced() {
  claimed_ = false;
  ++generation_;
  held_.assign(held_.size(), false);
  needs_.loop.cancel(restore_timer_);
  restore_timer_ = 0;
}

void Addresses::on_change(const sys::AddressChange& change) {
  for (std::size_t i = 0; i < plan_->addresses.size(); ++i) {
    const auto& address = plan_->addresses[i];
    const auto device = needs_.find_device(address.device);
    if (!device || device->ifindex != change.address.ifindex) continue;
    if (!(to_interface_address(address, device->ifindex).prefix == change.address.prefix)) continue;
    if (change.duplicate)
      needs_.log.error("address-duplicate", address.address.text + " on " + address.device +
                                                " is also used by another station on the link");
    if (claimed_ && !change.added) {
      held_[i] = false;
      const Instant due = std::max(sys::now(), last_restore_ + kRestoreInterval);
      if (restore_timer_ == 0) restore_timer_ = needs_.loop.call_at(due, [this] { restore(); });
    } else if (!claimed_ && change.added) {
      remove_foreign(i);
    }
  }
}

void Addresses::restore() {
  restore_timer_ = 0;
  last_restore_ = sys::now();
  if (!claimed_) return;
  claim_missing([this, before = held_](const AddressOutcome& outcome) {
    if (claimed_ && before.size() == held_.size()) report_restored(before, outcome);
  });
}

void Addresses::report_restored(const std::vector<bool>& before, const AddressOutcome& outcome) {
  std::string texts;
  for (std::size_t i = 0; i < held_.size(); ++i)
    if (held_[i] && !before[i])
      texts += (texts.empty() ? "" : ", ") + plan_->addresses[i].address.text;
  if (!texts.empty()) {
    ++restored_;
    needs_.log.warning("address-restored",
                       "somebody removed " + texts + " from the primary; put back",
                       {{"addresses", texts}});
    needs_.announce();
  }
  if (outcome.ok) return;
  needs_.log.error("claim-failed", outcome.error);
  if (restore_timer_ == 0)
    restore_timer_ = needs_.loop.call_at(sys::now() + 1s, [this] { restore(); });
}

void Addresses::remove_foreign(std::size_t index) {
  const auto& address = plan_->addresses[index];
  const auto device = needs_.find_device(address.device);
  if (!device) return;
  needs_.apply({delete_operation(address, *device)}, [this, text = address.address.text,
                                                      name = address.device](const auto& results) {
    if (!results.empty() && results.front().changed)
      needs_.log.warning("address-foreign", "somebody added " + text + " to " + name +
                                                " of a node that is not primary; removed");
  });
}

void Addresses::on_devices_changed() {
  set_placeholders();
  if (!claimed_) return;
  tell_warden();
  held_.assign(held_.size(), false);  // a device that came back came without them
  claim_missing([this](const AddressOutcome& outcome) {
    if (!outcome.ok) needs_.log.warning("claim-failed", outcome.error);
    if (claimed_) needs_.announce();
  });
}

}  // namespace hotpair::daemon
