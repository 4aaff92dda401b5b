// A ruleset between two boxes whose devices have different names.
#include "agent/core/nft_devices.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

std::string renamed(const std::string& rules, const std::map<std::string, std::string>& names) {
  NftRuleset ruleset;
  ruleset["inet t"].objects[{"chain", "c"}] = {"", rules};
  return with_devices(ruleset, names).at("inet t").objects.at({"chain", "c"}).body;
}

const std::map<std::string, std::string> kNames = {{"ens3f0", "lan"}, {"ens3f1", "wan"}};

TEST(NftDevicesTest, rules_hooks_and_flowtables_name_the_clusters_devices) {
  EXPECT_EQ(renamed("iifname \"ens3f0\" oif != \"ens3f1\" accept\n", kNames),
            "iifname \"lan\" oif != \"wan\" accept\n");
  EXPECT_EQ(renamed("iifname { \"ens3f0\", \"hv-lan\" } accept\n", kNames),
            "iifname { \"lan\", \"hv-lan\" } accept\n");
  EXPECT_EQ(renamed("type filter hook ingress device \"ens3f0\" priority filter;\n", kNames),
            "type filter hook ingress device \"lan\" priority filter;\n");
  EXPECT_EQ(renamed("hook ingress priority filter\ndevices = { ens3f0, ens3f1, other }\n", kNames),
            "hook ingress priority filter\ndevices = { lan, wan, other }\n");
}

TEST(NftDevicesTest, what_is_no_device_keeps_its_name) {
  const std::string rules =
      "log prefix \"ens3f0\" counter name \"ens3f0\" ct helper set \"ens3f0\" jump ens3f0 "
      "comment \"ens3f0\"\n";
  EXPECT_EQ(renamed(rules, kNames), rules);
  EXPECT_EQ(renamed("iifname \"ens3f0.100\" accept\n", kNames), "iifname \"ens3f0.100\" accept\n");
  EXPECT_EQ(renamed("cut \"ens3f0", kNames), "cut \"ens3f0");
}

TEST(NftDevicesTest, there_and_back_is_the_same) {
  const std::string rules = "iifname \"ens3f0\" oifname \"ens3f1\" accept\n";
  EXPECT_EQ(renamed(renamed(rules, kNames), {{"lan", "ens3f0"}, {"wan", "ens3f1"}}), rules);
}

}  // namespace
}  // namespace hotpair::agent
