#include "agent/core/ask_grant.hpp"

#include <gtest/gtest.h>

#include "agent/core/pursuit.hpp"

namespace hotpair::agent {
namespace {

constexpr Instant kNow{Duration(100s)};

Heartbeat said_by(const AskGrant& rounds) {
  Heartbeat h;
  rounds.write(h);
  return h;
}

TEST(AskAndGrant, AGrantAnswersTheRoundItNames) {
  AskGrant asker(kNow), granter(kNow + 1s);
  asker.ask(AskCause::election);
  EXPECT_FALSE(asker.granted_by(said_by(granter)));
  granter.grant(said_by(asker).ask_round, kNow);
  EXPECT_TRUE(asker.granted_by(said_by(granter)));
  asker.stop_asking();
  asker.ask(AskCause::election);
  EXPECT_FALSE(asker.granted_by(said_by(granter))) << "an old grant moves nothing";
}

TEST(AskAndGrant, CrossingGrantsMoveNothing) {
  AskGrant a(kNow), b(kNow + 1s);
  a.ask(AskCause::election);
  b.ask(AskCause::election);
  const Heartbeat from_a = said_by(a), from_b = said_by(b);
  a.grant(from_b.ask_round, kNow);
  b.grant(from_a.ask_round, kNow);
  EXPECT_FALSE(a.granted_by(said_by(b)));
  EXPECT_FALSE(b.granted_by(said_by(a)));
}

TEST(AskAndGrant, ARestartedNodeDoesNotTakeAGrantOfItsEarlierLife) {
  AskGrant before(kNow), granter(kNow);
  before.ask(AskCause::election);
  granter.grant(said_by(before).ask_round, kNow);
  AskGrant after(kNow + 1ms);
  after.ask(AskCause::election);
  EXPECT_FALSE(after.granted_by(said_by(granter)));
}

TEST(AskAndGrant, ARefusalIsForTheRoundItNames) {
  AskGrant asker(kNow), primary(kNow + 1s);
  asker.ask(AskCause::operator_planned);
  primary.refuse(said_by(asker).ask_round, "not in sync");
  EXPECT_TRUE(asker.refused_by(said_by(primary)));
  asker.ask(AskCause::operator_forced);
  EXPECT_FALSE(asker.refused_by(said_by(primary)));
}

TEST(Pursuits, BelieveNothingBeforeItIsReported) {
  Pursuit<AddressWish> addresses(std::nullopt, {});
  EXPECT_TRUE(addresses.due(kNow));
  addresses.asked(1, kNow);
  EXPECT_FALSE(addresses.settled());
  EXPECT_TRUE(addresses.done(1, true, "", kNow));
  EXPECT_TRUE(addresses.settled());
}

TEST(Pursuits, IgnoreTheAnswerToAWishThatHasChanged) {
  Pursuit<AddressWish> addresses(AddressWish{}, {});
  addresses.want({true, false});
  addresses.asked(1, kNow);
  addresses.want({false, false});
  EXPECT_FALSE(addresses.done(1, true, "", kNow));
  EXPECT_TRUE(addresses.due(kNow)) << "the claim may have happened: it is taken back in any case";
}

TEST(Pursuits, TryAgainEverySecond) {
  Pursuit<AddressWish> addresses(AddressWish{}, {});
  addresses.want({true, false});
  addresses.asked(1, kNow);
  EXPECT_TRUE(addresses.done(1, false, "no such device", kNow));
  EXPECT_FALSE(addresses.due(kNow + 999ms));
  EXPECT_TRUE(addresses.due(kNow + 1s));
  addresses.asked(2, kNow + 1s);
  EXPECT_FALSE(addresses.give_up(kNow + 1999ms));
  EXPECT_TRUE(addresses.give_up(kNow + 2s));
  EXPECT_EQ(addresses.failures(), 2u);
}

}  // namespace
}  // namespace hotpair::agent
