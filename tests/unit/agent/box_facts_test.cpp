// What of two boxes must agree beside their files.
#include "agent/daemon/box_facts.hpp"

#include <gtest/gtest.h>

namespace hotpair::daemon {
namespace {

TEST(BoxFactsTest, ThisBoxIsReadAndDoesNotDifferFromItself) {
  const std::atomic<bool> stopping{false};
  const BoxFacts facts = read_box_facts({{"loop", "lo"}, {"gone", "nothing0"}}, stopping);
  EXPECT_FALSE(facts.at("kernel").empty());
  EXPECT_EQ(facts.at("interface gone"), "-");
  EXPECT_TRUE(facts.at("interface loop").starts_with("mtu "));
  EXPECT_TRUE(facts.contains("sysctl net.ipv4.ip_forward"));
  EXPECT_TRUE(facts.contains("module nf_conntrack"));
  EXPECT_TRUE(differing_facts(facts, facts).empty());
}

TEST(BoxFactsTest, DifferencesNameBothSidesAndUnknownOnesAreNone) {
  const BoxFacts own = {{"kernel", "6.1"}, {"package frr", "-"}, {"only here", "1"}};
  const BoxFacts peer = {{"kernel", "6.12"}, {"package frr", "-"}, {"only there", "1"}};
  EXPECT_EQ(differing_facts(own, peer), (std::vector<FactDifference>{{"kernel", "6.1", "6.12"}}));
}

}  // namespace
}  // namespace hotpair::daemon
