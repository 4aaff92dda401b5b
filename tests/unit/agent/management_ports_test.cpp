// The ports by which each node is reached through the address that follows the primary.
#include "agent/core/management_ports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ManagementPortNumbers, AreFgcps) {
  EXPECT_EQ(management_port(22, ChassisId::one, 1), 2201u);
  EXPECT_EQ(management_port(22, ChassisId::two, 1), 2221u);
  EXPECT_EQ(management_port(443, ChassisId::two, 3), 44323u);
  EXPECT_GT(management_port(655, ChassisId::two, 19), 65535u);
}

ManagementPorts ports() {
  ManagementPorts p;
  p.self = ChassisId::two;
  p.services = {22, 161};
  p.addresses = {{false, "203.0.113.5"}, {true, "2001:db8::5"}};
  p.own_ipv4 = "169.254.200.30";
  p.peer_ipv4 = "169.254.200.29";
  p.cluster_device = "hotpair0";
  return p;
}

TEST(ManagementRuleset, LeadsToThisNodeAndOverTheClusterNetworkToTheOther) {
  const std::string rules = management_ruleset(ports());
  EXPECT_THAT(rules, testing::StartsWith("table inet hotpair {}\ndelete table inet hotpair\n"));
  EXPECT_THAT(rules, HasSubstr("ip daddr 203.0.113.5 tcp dport 2221 counter dnat ip to "
                               "203.0.113.5:22\n"));
  EXPECT_THAT(rules, HasSubstr("ip daddr 203.0.113.5 udp dport 16101 counter dnat ip to "
                               "169.254.200.29:161\n"));
  EXPECT_THAT(rules, HasSubstr("ip6 daddr 2001:db8::5 tcp dport 2221 counter dnat ip6 to "
                               "[2001:db8::5]:22\n"));
  EXPECT_THAT(rules, Not(HasSubstr("ip6 daddr 2001:db8::5 tcp dport 2201")))
      << "the other node has no such address on the cluster network";
  EXPECT_THAT(rules, HasSubstr("oifname \"hotpair0\" ct status dnat ip daddr 169.254.200.29 "
                               "snat ip to 169.254.200.30\n"));
  EXPECT_THAT(rules, HasSubstr("iifname \"hotpair0\" ct direction original drop\n"))
      << "answers come back, and nothing else";
}

TEST(ManagementRuleset, IsEmptyWithoutPortsOrAddresses) {
  ManagementPorts none = ports();
  none.services.clear();
  EXPECT_EQ(management_ruleset(none), "");
  none = ports();
  none.addresses.clear();
  EXPECT_EQ(management_ruleset(none), "");
}

}  // namespace
}  // namespace hotpair::agent
