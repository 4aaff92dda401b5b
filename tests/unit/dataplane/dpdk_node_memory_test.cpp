// Of which NUMA node DPDK takes how much when it starts, and what is said where it could not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/dpdk/node_memory.hpp"

namespace hotpair::dpdk {
namespace {

using sys::NumaNode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

Words taken(const std::vector<NumaNode>& nodes, unsigned cpu,
            const std::vector<std::optional<unsigned>>& ports) {
  const auto words = memory_words(nodes, cpu, ports);
  return words.ok() ? *words : Words{words.error().message};
}

TEST(NodeMemory, OnOneNodeItIsOneAmount) {
  EXPECT_EQ(taken({}, 3, {std::nullopt}), (Words{"-m", "64"}));
  EXPECT_EQ(taken({{0, {0, 1}, 0}}, 1, {0, 0}), (Words{"-m", "88"}));
}

TEST(NodeMemory, APortsIsOnItsOwnNodeAndTheRestOnTheLcores) {
  const std::vector<NumaNode> nodes = {{0, {0}, 500}, {1, {1}, 500}};
  EXPECT_EQ(taken(nodes, 0, {1}), (Words{"--socket-mem", "40,24"}));
  EXPECT_EQ(taken(nodes, 1, {1}), (Words{"--socket-mem", "0,64"}));
  EXPECT_EQ(taken(nodes, 1, {0, std::nullopt}), (Words{"--socket-mem", "24,64"}))
      << "a port that is on none goes with the lcore";
}

TEST(NodeMemory, ANodeGivesNoMoreThanItHas) {
  EXPECT_EQ(taken({{0, {0}, 10}, {1, {1}, 0}}, 0, {1}), (Words{"--socket-mem", "10,0"}));
  EXPECT_EQ(taken({{0, {0}, 500}, {2, {1}, 500}}, 1, {0}), (Words{"--socket-mem", "24,0,40"}))
      << "numbers that are missing have their place";
}

TEST(NodeMemory, AnLcoresNodeWithoutAnyIsNamedWithWhatMendsIt) {
  const auto words = memory_words({{0, {0}, 500}, {1, {5}, 0}}, 5, {0});
  ASSERT_FALSE(words.ok());
  EXPECT_THAT(words.error().message,
              AllOf(HasSubstr("NUMA node 1, which CPU 5 is on, has no free hugepages"),
                    HasSubstr("/node/node1/hugepages/"),
                    HasSubstr("a CPU of node 0 in session_sync.lcores: 0")));
  const auto none = memory_words({{0, {0}, 0}, {1, {5}, 0}}, 5, {0});
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, Not(HasSubstr("session_sync.lcores")));
}

TEST(NodeMemory, ACpuThatNoNodeHasIsLeftToDpdk) {
  EXPECT_EQ(taken({{0, {0}, 500}, {1, {1}, 500}}, 7, {1}), (Words{"-m", "64"}));
}

}  // namespace
}  // namespace hotpair::dpdk
