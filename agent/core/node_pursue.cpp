// Requests to the world, their retries, and what their failures mean.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

}  // namespace

void Node::State::pursue(Instant now) {
  disk.want({reserved, forced_wanted});
  // Between the deadline and the claim nothing is written: the next epoch's reservation can wait.
  const bool disk_may_wait = transaction.takeover() && transaction.stage() != Stage::persist;
  if (disk.give_up(now))
    request_failed("persist-failed", "the state file could not be written", disk.error());
  if (disk.due(now) && !disk_may_wait) {
    const ActionId id = next_id();
    disk.asked(id, now);
    emit(PersistState{id, disk.wanted()});
  }
  if (!disk_may_wait) wake(disk.next_look());

  const bool claims = addresses.wanted().held;
  if (addresses.give_up(now)) {
    if (claims) note_claim_outcome(false, now);
    request_failed(claims ? "claim-failed" : "withdraw-failed",
                   claims ? "addresses could not be claimed" : "addresses could not be given back",
                   addresses.error());
  }
  if (addresses.due(now)) {
    const ActionId id = next_id();
    addresses.asked(id, now);
    if (claims)
      emit(ClaimAddresses{id});
    else
      emit(WithdrawAddresses{id, addresses.wanted().linger});
  }
  wake(addresses.next_look());

  if (!dataplane_wished || !replication.dataplane_alive) return;
  if (dataplane.give_up(now))
    request_failed("dataplane-failed", "the data plane does not answer", dataplane.error());
  if (dataplane.due(now)) {
    const ActionId id = next_id();
    dataplane.asked(id, now);
    emit(SetDataplaneRole{id, dataplane.wanted().role, dataplane.wanted().epoch});
  }
  wake(dataplane.next_look());
}

void Node::State::request_failed(std::string_view id, std::string_view what,
                                 const ShortText<128>& error) {
  report(Level::error, id, Sentence(what, ": ", error, "; tried again in ", kRetryEvery));
}

void Node::State::list_failing(StaticVector<Reason, 3>& list) const {
  if (disk.failures() > 0)
    list.push_back(Sentence("the state file cannot be written: ", disk.error()));
  if (addresses.failures() > 0)
    list.push_back(Sentence(addresses.wanted().held ? "the addresses cannot be claimed: "
                                                    : "the addresses cannot be given back: ",
                            addresses.error()));
  if (dataplane.failures() > 0 && replication.dataplane_alive)
    list.push_back(Sentence("the data plane does not take its role: ", dataplane.error()));
}

// As backup: of the primary's epoch, never of a number that was only reserved.
void Node::State::follow(Epoch followed) {
  epoch = std::max(epoch, followed);
  dataplane_wished = true;
  // Ours is the higher one after a time as primary that nobody else heard of.
  dataplane.want({DataplaneRole::backup, followed});
}

// A primary that cannot put its addresses on is as good as a failed module, so that a peer which
// can may take the role; it stays so for a while after, or the role would come straight back.
void Node::State::note_claim_outcome(bool ok, Instant now) {
  if (ok) {
    claim_fault_until.reset();
    health.claiming_fails(false);
    if (role == Role::primary && !transaction.running()) emit(Announce{});
    return;
  }
  // The outcome at hand is not yet counted by everyone who calls this; the bound is about "again
  // and again".
  if (addresses.failures() < kClaimFailuresForFault) return;
  claim_fault_until = now + kClaimFaultMemory;
  health.claiming_fails(true);
}

}  // namespace hotpair::agent
