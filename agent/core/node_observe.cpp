// What follows from what was heard and from time passing, before anything is decided.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

}  // namespace

void Node::State::observe_time(Instant now) {
  if (now >= uptime_due) {
    health.refresh_uptime(now);
    uptime_due = now + 1s;
  }
  wake(uptime_due);
  health.settle(now);
  wake(health.next_change());
  if (claim_fault_until && role != Role::primary) {
    if (now >= *claim_fault_until) {
      claim_fault_until.reset();
      health.claiming_fails(false);
    } else {
      wake(*claim_fault_until);
    }
  }
  const HealthVector before = vector;
  vector = health.vector(forced);
  if (!(vector == before)) ++health_version;
}

void Node::State::observe_peer(Instant now) {
  const PeerLiveness::Changes changes = peer.update(now);
  wake(peer.next_change());
  report_paths(changes, now);
  if (changes.peer_came)
    report(Level::notice, "peer-alive",
           Sentence("node ", peer_id(), " is heard, role ", to_string(peer.newest().role)));
  if (changes.peer_came) {
    split.ordered = split.reported = split.resumes = split.granted = false;
    // A former primary that stood still answered, when it woke, what had been asked of its
    // addresses; one that still says it is primary is told so when both have settled it.
    if (role == Role::primary && !transaction.running() && peer.newest().role != Role::primary)
      emit(Announce{});
  }
  if (changes.peer_died) {
    split.granted = rounds.granted_by(peer.newest()) && peer.newest().role != Role::primary;
    report(Level::warning, "peer-dead", peer.silent_reason(now));
    rounds.stop_asking();
    rounds.stop_refusing();
    listening_until = std::max(listening_until, now + config.hello_holddown);
  }
  if (peer.alive()) {
    const Heartbeat& heard = peer.newest();
    raise_known(heard.epoch);
    if (heard.role == Role::primary && heard.epoch > last_primary_epoch) {
      if (last_primary_epoch.number != 0) role_moved_at = now;
      last_primary_epoch = heard.epoch;
    }
    if (role == Role::backup && heard.role == Role::primary) follow(heard.epoch);
    note_table(heard);
    observe_protocol();
    if (heard.cluster_digest != config.cluster_digest && heard.cluster_digest != digest_reported) {
      digest_reported = heard.cluster_digest;
      report(Level::warning, "config-differs",
             "cluster.yaml is not the same on both nodes: compare the two files, then 'hotpair "
             "reload'");
    }
  }
  observe_grant(now);
  observe_sync(now);
}

// What the peer's life and role are stands in every version, so it is believed; all else waits.
void Node::State::observe_protocol() {
  const bool shared = agreed_protocol().has_value();
  if (!shared && !protocol_reported)
    report(Level::error, "protocol-differs",
           Sentence(no_protocol(), "; run the same version of hotpair on both"));
  if (shared && protocol_reported)
    report(Level::notice, "protocol-agreed",
           Sentence("both nodes speak version ", *agreed_protocol(), " of the protocol again"));
  protocol_reported = !shared;
}

// The gate for moves by choice stays closed while the backup is not in sync; nobody should have to
// find that out when the move is needed.
void Node::State::observe_sync(Instant now) {
  if (!peer.alive() || !config.session_pickup || leave_wanted) {
    sync = {};
    return;
  }
  if (in_sync()) {
    if (sync.overdue)
      report(Level::notice, "sync-restored",
             Sentence("the backup is in sync again after ", whole_seconds(now - *sync.lost_at)));
    sync = {};
    return;
  }
  if (!sync.lost_at) sync.lost_at = now;
  const Instant due = *sync.lost_at + config.sync_timeout;
  if (now < due) return wake(due);
  if (!sync.overdue)
    report(Level::error, "sync-overdue",
           Sentence("for ", config.sync_timeout, " (election.sync_timeout) ", unsynced()));
  sync.overdue = true;
}

void Node::State::report_paths(const PeerLiveness::Changes& changes, Instant now) {
  for (PathId i = 0; i < kMaxPaths; ++i) {
    const unsigned bit = 1u << i;
    if (changes.died & bit)
      report(Level::warning, "path-dead",
             Sentence("path ", config.paths[i].name, " silent for ", now - peer.path(i).last_heard,
                      " while the peer is heard on others"));
    if (changes.came & bit)
      report(Level::notice, "path-alive",
             Sentence("path ", config.paths[i].name, " is heard again"));
  }
}

// I1: what this node uses next is above everything it ever heard.
void Node::State::raise_known(Epoch heard) {
  if (heard <= known) return;
  known = heard;
  if (reserved <= known) reserved = next_epoch(known, self());
}

// As long as a primary is heard, a backup's table is whole when it is proven to be, and not a
// moment longer; when it falls silent, what was proven last stands.
void Node::State::note_table(const Heartbeat& heard) {
  if (role == Role::primary || heard.role != Role::primary) return;
  if (in_sync() && replication.dataplane_alive)
    table_epoch = heard.epoch;
  else if (heard.epoch >= table_epoch)
    table_epoch = {};
}

// I5: a grant ends with the peer primary, its ask withdrawn, the peer dead, or its time.
void Node::State::observe_grant(Instant now) {
  if (!rounds.granting()) return;
  const bool ended = !peer.alive() || peer.newest().role == Role::primary ||
                     peer.newest().ask_round != rounds.granted_round() ||
                     now >= rounds.grant_ends();
  if (ended)
    rounds.void_grant();
  else
    wake(rounds.grant_ends());
}

// Whether somebody was heard within the time, and when that will have changed.
bool Node::State::recent(const Neighbour& neighbour, Duration within, Instant now) {
  if (!neighbour.heard || now - neighbour.last_heard >= within) return false;
  wake(neighbour.last_heard + within);
  return true;
}

// Our own peer, heard but refused. It may run as primary when it says so, or when its body could
// not be read and the fault is one that befalls a running node (a switch, a cable). A wrong group
// or chassis id needs a restart, which gave its addresses back.
bool Node::State::neighbour_may_be_primary(Instant now) {
  using Kind = MismatchSeen::Kind;
  if (!recent(proven, config.detection_time(), now)) return false;
  const MismatchSeen& seen = proven.seen;
  if (seen.role) return *seen.role == Role::primary;
  return seen.kind == Kind::wrong_vlan || seen.kind == Kind::wrong_ethertype ||
         seen.kind == Kind::wrong_path;
}

}  // namespace hotpair::agent
