// The rounds by which the role moves while both nodes live. The one that should take over asks; the
// other, once it holds no addresses, grants that round. Rules:
//  - a round number is never used twice, and starts at a number drawn from the time, so a grant
//  made for an
//    earlier life of this node answers nothing;
//  - a node that grants voids its own ask, so crossing grants move nothing;
//  - a grant binds until it was used, its ask was withdrawn, the peer is dead, or kGrantBound has
//  passed.
#pragma once

#include "agent/core/heartbeat.hpp"

namespace hotpair::agent {

using AskCause = Heartbeat::AskCause;
constexpr Duration kGrantBound = 1s;

class AskGrant {
 public:
  explicit AskGrant(Instant started)
      : last_round_(static_cast<std::uint32_t>(started.time_since_epoch().count() >> 10)) {}

  // Asks, or goes on asking; a new cause is a new round.
  void ask(AskCause cause);
  void stop_asking() { asking_ = AskCause::none; }
  bool asking() const { return asking_ != AskCause::none; }
  AskCause cause() const { return asking_; }
  bool granted_by(const Heartbeat& peer) const {
    return asking() && peer.grant_round == ask_round_;
  }

  void invite(AskCause cause);
  void stop_inviting() { inviting_ = AskCause::none; }
  bool inviting() const { return inviting_ != AskCause::none; }
  // Our present ask or invitation is refused by the peer.
  bool refused_by(const Heartbeat& peer) const;

  void grant(std::uint32_t round, Instant now);
  void void_grant() { granted_round_ = 0; }
  bool granting() const { return granted_round_ != 0; }
  std::uint32_t granted_round() const { return granted_round_; }
  Instant grant_ends() const { return grant_ends_; }

  void refuse(std::uint32_t round, const ShortText<160>& why);
  void stop_refusing() { refused_round_ = 0; }
  // What of all this stands in our heartbeat.
  void write(Heartbeat& heartbeat) const;

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  std::uint32_t next_round();

  std::uint32_t last_round_;
  std::uint32_t ask_round_ = 0, invite_round_ = 0, granted_round_ = 0, refused_round_ = 0;
  AskCause asking_ = AskCause::none, inviting_ = AskCause::none;
  Instant grant_ends_;
  ShortText<160> refusal_;
};

}  // namespace hotpair::agent
