// The roles and what moves a node from one to another: one total table (role, cause) -> (role,
// kind). "Nothing changes" is an entry like any other; README.md's diagram is checked against it by
// a test.
#pragma once

#include <array>

#include "agent/core/action.hpp"

namespace hotpair::agent {

enum class Cause : std::uint8_t {
  peer_primary,   // the peer is heard as primary
  peer_heard,     // the peer is heard, and is not primary
  peer_silent,    // every path silent for the detection time, or the peer's main loop stands still
  peer_leaving,   // the peer left in order and holds no addresses any more
  granted,        // the peer gave the role to us: a matter of choice
  granted_fault,  // the same, because of a fault of the peer's
  alone,          // nobody was heard for the whole hold-down
  mismatch,       // a neighbour that cannot be verified or is misconfigured
  mismatch_over,  // it has been silent for the hold-down
  gave_role,      // our addresses are given back, the peer is granted the role
  dual_lost,      // both were primary, the election prefers the peer
  unheard,        // both were primary, and the peer does not hear us
  stalled,        // we stood still for longer than the peer waits
  leave,          // orderly exit
  count_,
};
constexpr std::size_t kRoles = 4;
constexpr std::size_t kCauses = static_cast<std::size_t>(Cause::count_);

struct Transition {
  Role to = Role::init;
  ReportRoleChange::Kind kind = ReportRoleChange::Kind::start;
};

// Where `cause` takes a node in `role`; the role itself when it changes nothing.
const Transition& transition(Role role, Cause cause);
std::string_view to_string(Cause cause);
std::string_view to_string(ReportRoleChange::Kind kind);

}  // namespace hotpair::agent
