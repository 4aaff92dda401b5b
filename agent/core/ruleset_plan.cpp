#include "agent/core/ruleset_plan.hpp"

namespace hotpair::agent {

RulesetVerdict plan_ruleset(const RulesetSide& sender, const RulesetSide& receiver,
                            ReceiverChanges policy, bool forced) {
  const bool agreed = sender.agreement && sender.agreement == receiver.agreement;
  if (sender.checksum == receiver.checksum) {
    const RulesetAgreement now{sender.checksum, receiver.checksum};
    return agreed && *sender.agreement == now ? RulesetVerdict::same : RulesetVerdict::agree;
  }
  const bool sender_changed = !agreed || sender.agreement->sender != sender.checksum;
  const bool receiver_changed = !agreed || receiver.agreement->receiver != receiver.checksum;
  if (!forced && !sender_changed && !receiver_changed) return RulesetVerdict::same;
  if (forced) return RulesetVerdict::send;
  if (sender.empty) return RulesetVerdict::no_rules;
  if (!receiver.agreement) return RulesetVerdict::first;
  if (sender_changed && receiver_changed) return RulesetVerdict::conflict;
  if (sender_changed) return RulesetVerdict::send;
  return policy == ReceiverChanges::revert ? RulesetVerdict::reverted : RulesetVerdict::kept;
}

}  // namespace hotpair::agent
