// Whose ruleset prevails, by what both have and what they last agreed on.
#include "agent/core/ruleset_plan.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

using enum RulesetVerdict;
using enum ReceiverChanges;

const RulesetAgreement kAgreed{"a", "A"};  // one ruleset, printed in two ways

RulesetSide side(const char* checksum, std::optional<RulesetAgreement> agreement = kAgreed) {
  return {checksum, false, std::move(agreement)};
}

TEST(RulesetPlanTest, what_was_agreed_on_is_the_same_though_printed_otherwise) {
  EXPECT_EQ(plan_ruleset(side("a"), side("A"), keep, false), same);
}

TEST(RulesetPlanTest, what_is_the_same_without_an_agreement_becomes_one) {
  EXPECT_EQ(plan_ruleset(side("b"), side("b"), keep, false), agree);
  EXPECT_EQ(plan_ruleset(side("b", {}), side("b", {}), keep, false), agree);
}

TEST(RulesetPlanTest, a_change_of_the_sender_goes_over) {
  EXPECT_EQ(plan_ruleset(side("b"), side("A"), keep, false), send);
}

TEST(RulesetPlanTest, a_change_of_the_receiver_is_left_or_put_back_by_policy) {
  EXPECT_EQ(plan_ruleset(side("a"), side("B"), keep, false), kept);
  EXPECT_EQ(plan_ruleset(side("a"), side("B"), revert, false), reverted);
}

TEST(RulesetPlanTest, a_change_of_both_is_a_conflict) {
  EXPECT_EQ(plan_ruleset(side("b"), side("B"), keep, false), conflict);
  // They remember two agreements: nobody knows who changed what.
  EXPECT_EQ(plan_ruleset(side("a"), side("A", RulesetAgreement{"x", "A"}), keep, false), conflict);
}

TEST(RulesetPlanTest, a_receiver_that_booted_has_made_no_change) {
  EXPECT_EQ(plan_ruleset(side("a"), side("B", {}), keep, false), first);
}

TEST(RulesetPlanTest, an_empty_ruleset_does_not_take_the_others_away) {
  RulesetSide empty = side("0");
  empty.empty = true;
  EXPECT_EQ(plan_ruleset(empty, side("A"), keep, false), no_rules);
  EXPECT_EQ(plan_ruleset(empty, side("A"), keep, true), send);
  EXPECT_EQ(plan_ruleset(side("a"), RulesetSide{"0", true, {}}, keep, false), first);
}

TEST(RulesetPlanTest, an_operators_word_goes_over_whatever_was_agreed) {
  EXPECT_EQ(plan_ruleset(side("a"), side("B"), keep, true), send);
}

TEST(RulesetPlanTest, what_is_overwritten_without_being_old_is_kept_beside) {
  EXPECT_TRUE(is_kept_beside(conflict, false));
  EXPECT_TRUE(is_kept_beside(reverted, false));
  EXPECT_TRUE(is_kept_beside(first, false));
  EXPECT_TRUE(is_kept_beside(send, true));
  EXPECT_FALSE(is_kept_beside(send, false));
  EXPECT_FALSE(is_kept_beside(kept, false));
}

}  // namespace
}  // namespace hotpair::agent
