// What is to become of the backup's ruleset, of what both nodes have and had when they last agreed.
// The rule is config_sync's: a change of the sender goes over, one of the receiver alone is left or
// put back by policy, and one of both is a conflict in which the sender's prevails.
//
// Two boxes may print one ruleset in two ways, so an agreement is a pair of checksums. It is kept
// for as long as the kernel keeps the ruleset; a node without one has just booted, and what it
// booted with is no change that anybody made.
#pragma once

#include <optional>
#include <string>

#include "agent/core/config_sync.hpp"

namespace hotpair::agent {

struct RulesetAgreement {
  std::string sender, receiver;  // checksums
  friend bool operator==(const RulesetAgreement&, const RulesetAgreement&) = default;
};

struct RulesetSide {
  std::string checksum;
  bool empty = false;                         // no table at all
  std::optional<RulesetAgreement> agreement;  // as this node remembers it
};

enum class RulesetVerdict {
  same,      // nothing is to be done
  agree,     // nothing but to remember that they are the same
  send,      // the sender changed
  first,     // the receiver remembers no agreement
  kept,      // the receiver alone changed, and is left so
  reverted,  // the receiver alone changed, and gets the sender's
  conflict,  // both changed; the sender's prevails
  no_rules,  // the sender has none at all: more likely a failure than a wish
};
RulesetVerdict plan_ruleset(const RulesetSide& sender, const RulesetSide& receiver,
                            ReceiverChanges policy, bool forced);
constexpr bool is_sent(RulesetVerdict verdict) {
  return verdict == RulesetVerdict::send || verdict == RulesetVerdict::first ||
         verdict == RulesetVerdict::reverted || verdict == RulesetVerdict::conflict;
}
// Whether what the receiver had is worth a file.
constexpr bool is_kept_beside(RulesetVerdict verdict, bool forced) {
  return forced || (is_sent(verdict) && verdict != RulesetVerdict::send);
}

}  // namespace hotpair::agent
