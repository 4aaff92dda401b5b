// Logical systems: what a node lacks of them, and where two nodes differ.
#include "agent/core/partition.hpp"

#include <gtest/gtest.h>

#include "agent/daemon/partition_json.hpp"

namespace hotpair::agent {
namespace {

using Sentences = std::vector<std::string>;

Partition tenant(const char* name = "tenant-a") {
  return {name, "vrf-a", true, 10, {{"lan-a", true, true}, {"wan-a", true, false}}, {}};
}

TEST(Partitions, ThatAreCompleteOnBothNodesRaiseNothing) {
  EXPECT_TRUE(lacks(tenant()).empty()) << "a link that is down is there";
  EXPECT_TRUE(partition_alarms({tenant()}, std::vector{tenant()}).empty());
  EXPECT_TRUE(partition_alarms({tenant()}, std::nullopt).empty());
}

TEST(Partitions, ThatOneNodeLacksAreNamedWithWhatIsMissing) {
  Partition broken = tenant();
  broken.vrf_present = false;
  broken.interfaces[1].present = false;
  EXPECT_EQ(partition_alarms({broken}, std::nullopt),
            Sentences{"this node lacks VRF vrf-a, interface wan-a of logical system tenant-a"});
  EXPECT_EQ(partition_alarms({tenant()}, std::vector{broken}),
            Sentences{"the peer lacks VRF vrf-a, interface wan-a of logical system tenant-a"});
  EXPECT_EQ(partition_alarms({tenant()}, std::vector{tenant("b")}),
            (Sentences{"the peer has no logical system tenant-a",
                       "this node has no logical system b, which the peer has"}));
}

TEST(Partitions, WhoseFilesDifferAreNamedByPathUnlessOneNodeDoesNotKnowItYet) {
  Partition own = tenant(), peer = tenant();
  own.files = {{"/etc/a.nft", "11"}, {"/etc/b.nft", "22"}, {"/etc/new.nft", "33"}};
  peer.files = {{"/etc/a.nft", "11"}, {"/etc/b.nft", "99"}};
  EXPECT_EQ(differing_files({own}, std::vector{peer}),
            Sentences{"logical system tenant-a is not the same on both nodes: /etc/b.nft; 'hotpair "
                      "config diff' shows how"});
  EXPECT_TRUE(differing_files({own}, std::nullopt).empty());
  const auto read = daemon::partitions_from(daemon::to_json({own}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front(), own);
}

TEST(Partitions, ThatOnlyOneNodeReallyHasAreWhatTheOtherLacks) {
  Partition broken = tenant();
  broken.vrf_present = false;
  EXPECT_EQ(lacking({tenant()}, {tenant()}), "");
  EXPECT_EQ(lacking({broken}, {tenant()}), "VRF vrf-a of logical system tenant-a");
  EXPECT_EQ(lacking({tenant()}, {broken}), "");
  EXPECT_EQ(lacking({broken}, {broken}), "") << "a move loses nothing that is there now";
  EXPECT_EQ(lacking({broken}, {tenant(), tenant("b")}),
            "VRF vrf-a of logical system tenant-a, logical system b");
}

TEST(Partitions, ThatAreConfiguredOtherwiseAreNamed) {
  Partition other = tenant();
  other.zone = 0;
  other.interfaces.pop_back();
  EXPECT_EQ(partition_alarms({tenant()}, std::vector{other}),
            (Sentences{"logical system tenant-a is not the same on both nodes: zone 10 here, no "
                       "zone at the peer",
                       "logical system tenant-a is not the same on both nodes: its interfaces"}));
}

TEST(Partitions, TravelWholeAndWhatIsMalformedIsRefused) {
  const std::vector<Partition> list = {tenant(), tenant("b")};
  const auto json = daemon::to_json(list);
  EXPECT_EQ(daemon::partitions_from(json), list);
  for (const char* key : {"name", "vrf", "vrf_present", "zone", "interfaces"}) {
    auto broken = json;
    broken[1].erase(key);
    EXPECT_FALSE(daemon::partitions_from(broken)) << key;
  }
  auto large = json;
  large[0]["zone"] = 65536;
  EXPECT_FALSE(daemon::partitions_from(large));
  EXPECT_FALSE(daemon::partitions_from({{"a", 1}}));
}

}  // namespace
}  // namespace hotpair::agent
