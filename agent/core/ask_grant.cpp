#include "agent/core/ask_grant.hpp"

namespace hotpair::agent {

std::uint32_t AskGrant::next_round() {
  if (++last_round_ == 0) ++last_round_;  // 0 says "none"
  return last_round_;
}

void AskGrant::ask(AskCause cause) {
  HOTPAIR_ASSERT(cause != AskCause::none && !granting());
  if (asking_ != cause) ask_round_ = next_round();
  asking_ = cause;
}

void AskGrant::invite(AskCause cause) {
  HOTPAIR_ASSERT(cause != AskCause::none);
  invite_round_ = next_round();
  inviting_ = cause;
}

bool AskGrant::refused_by(const Heartbeat& peer) const {
  if (peer.refuse_round == 0) return false;
  return (asking() && peer.refuse_round == ask_round_) ||
         (inviting() && peer.refuse_round == invite_round_);
}

void AskGrant::grant(std::uint32_t round, Instant now) {
  HOTPAIR_ASSERT(round != 0);
  stop_asking();  // I5
  granted_round_ = round;
  grant_ends_ = now + kGrantBound;
  stop_refusing();
}

void AskGrant::refuse(std::uint32_t round, const ShortText<160>& why) {
  refused_round_ = round;
  refusal_ = why;
}

void AskGrant::write(Heartbeat& heartbeat) const {
  heartbeat.ask_round = asking() ? ask_round_ : 0;
  heartbeat.ask_cause = asking_;
  heartbeat.grant_round = granted_round_;
  heartbeat.invite_round = inviting() ? invite_round_ : 0;
  heartbeat.invite_cause = inviting_;
  heartbeat.refuse_round = refused_round_;
  heartbeat.refusal = refused_round_ == 0 ? ShortText<160>() : refusal_;
}

}  // namespace hotpair::agent
