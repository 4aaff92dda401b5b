#include "agent/core/protocol.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

constexpr ProtocolRange kFirst{1, 1}, kBoth{1, 2}, kSecond{2, 2}, kWide{2, 9};

TEST(Protocol, IsTheHighestThatBothSpeak) {
  EXPECT_EQ(agree(kFirst, kFirst), 1);
  EXPECT_EQ(agree(kFirst, kBoth), 1);
  EXPECT_EQ(agree(kBoth, kBoth), 2);
  EXPECT_EQ(agree(kBoth, kSecond), 2);
  EXPECT_EQ(agree(kBoth, kWide), 2);
}

TEST(Protocol, IsNoneWhereTheRangesDoNotMeet) {
  EXPECT_EQ(agree(kFirst, kSecond), std::nullopt);
  EXPECT_EQ(agree(kFirst, kWide), std::nullopt);
}

TEST(Protocol, IsTheSameForBothNodes) {
  for (const auto& a : {kFirst, kBoth, kSecond, kWide})
    for (const auto& b : {kFirst, kBoth, kSecond, kWide}) EXPECT_EQ(agree(a, b), agree(b, a));
}

TEST(Protocol, IsNoneWithAnEmptyRange) {
  EXPECT_EQ(agree(kBoth, {2, 1}), std::nullopt);
  EXPECT_EQ(agree(kBoth, {0, 0}), std::nullopt);
  EXPECT_EQ(agree(kBoth, {255, 1}), std::nullopt);
}

}  // namespace
}  // namespace hotpair::agent
