// By which session-sync port frames leave: two nodes with the same ports, and wires between them.
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/dpdk/port_choice.hpp"

namespace hotpair::dpdk {
namespace {

constexpr std::size_t kStandard = PortChoice::kStandardFrame, kJumbo = 9014;

struct Wire {
  bool there = true, back = true;  // from the first node, to it
  std::size_t passes = kJumbo;     // bytes of the longest frame
};

class SessionSyncPorts : public testing::Test {
 protected:
  void start(std::vector<std::size_t> first, std::vector<std::size_t> second) {
    nodes_ = {PortChoice(first), PortChoice(second)};
    wires_.resize(std::min(first.size(), second.size()));
    for (PortChoice& node : nodes_)
      for (std::size_t i = 0; i < wires_.size(); ++i) node.on_link(i, true, takes(node, i));
    pass(3s);
  }
  void link(std::size_t port, bool up) {
    for (PortChoice& node : nodes_) node.on_link(port, up, takes(node, port));
  }
  void pass(Duration length) {
    for (const Instant end = now_ + length; now_ < end; now_ += PortChoice::kQuick) {
      ++round_;
      for (std::size_t from = 0; from < 2; ++from)
        if (nodes_[from].speaks(now_)) speak(from);
      for (PortChoice& node : nodes_) node.decide(now_);
    }
  }
  void speak(std::size_t from) {
    for (std::size_t i = 0; i < wires_.size(); ++i) {
      if (!(from == 0 ? wires_[i].there : wires_[i].back) || !nodes_[from].up(i)) continue;
      const Hello hello = nodes_[from].hello(i, now_);
      nodes_[1 - from].on_hello(i, hello, 60, now_);
      const std::size_t full = nodes_[from].long_hello(i, now_);
      const bool passes = full <= std::min(wires_[i].passes, takes(nodes_[1 - from], i));
      if (round_ % 10 == 0 && full > kStandard && passes)
        nodes_[1 - from].on_hello(i, hello, full, now_);
    }
  }
  std::size_t takes(const PortChoice& node, std::size_t port) const {
    return node.hello(port, now_).takes;
  }
  PortChoice& one() { return nodes_[0]; }

  std::vector<PortChoice> nodes_;
  std::vector<Wire> wires_;
  Instant now_{1h};
  int round_ = 0;
};

TEST_F(SessionSyncPorts, TheFirstIsPreferred) {
  start({kStandard, kStandard}, {kStandard, kStandard});
  EXPECT_EQ(one().chosen(), 0u);
  EXPECT_TRUE(one().proven(1, now_));
}

TEST_F(SessionSyncPorts, APulledCableMovesTheFramesAtOnceAndBackOnceItHeldForAWhile) {
  start({kStandard, kStandard}, {kStandard, kStandard});
  link(0, false);
  EXPECT_TRUE(one().decide(now_));
  EXPECT_EQ(one().chosen(), 1u);
  link(0, true);
  pass(PortChoice::kSettled - 500ms);
  EXPECT_EQ(one().chosen(), 1u);
  pass(1s);
  EXPECT_EQ(one().chosen(), 0u);
}

TEST_F(SessionSyncPorts, AWireThatIsDeadBehindALinkIsLeftAfterItsSilence) {
  start({kStandard, kStandard}, {kStandard, kStandard});
  wires_[0] = {false, false};
  pass(PortChoice::kSilence + 200ms);
  EXPECT_EQ(nodes_[0].chosen(), 1u);
  EXPECT_EQ(nodes_[1].chosen(), 1u);
}

TEST_F(SessionSyncPorts, AWireThatIsDeadOneWayIsLeftByBoth) {
  start({kStandard, kStandard}, {kStandard, kStandard});
  wires_[0].there = false;
  pass(2 * PortChoice::kSilence + 300ms);
  EXPECT_EQ(nodes_[0].chosen(), 1u);
  EXPECT_EQ(nodes_[1].chosen(), 1u);
}

TEST_F(SessionSyncPorts, APortThatComesAndGoesIsNotUsedAgain) {
  start({kStandard, kStandard}, {kStandard, kStandard});
  for (int i = 0; i < 5; ++i) {
    link(0, false);
    pass(500ms);
    link(0, true);
    pass(1s);
    EXPECT_EQ(one().chosen(), 1u);
  }
}

TEST_F(SessionSyncPorts, WithAPeerThatSaysNoHelloALinkIsEnough) {
  PortChoice alone({kStandard, kStandard});
  alone.on_link(1, true, kStandard);
  EXPECT_TRUE(alone.decide(now_));
  EXPECT_EQ(alone.chosen(), 1u);
  alone.on_link(0, true, kStandard);
  EXPECT_FALSE(alone.decide(now_));  // nothing proves it better
}

TEST_F(SessionSyncPorts, OnePortOfTheStandardSizeSaysNothingUntilItIsAsked) {
  PortChoice quiet({kStandard});
  quiet.on_link(0, true, kStandard);
  EXPECT_FALSE(quiet.speaks(now_));
  Hello hello;
  hello.several = true;
  quiet.on_hello(0, hello, 60, now_);
  EXPECT_TRUE(quiet.speaks(now_));
  EXPECT_EQ(quiet.interval(now_), PortChoice::kQuick);
  EXPECT_FALSE(quiet.speaks(now_ + PortChoice::kRecent + 1ms));
}

TEST_F(SessionSyncPorts, FramesGrowToWhatBothEndsAndTheWireTake) {
  start({kJumbo}, {kJumbo});
  EXPECT_EQ(one().room(now_), kJumbo);
  start({kJumbo}, {4014});
  EXPECT_EQ(nodes_[0].room(now_), 4014u);
  EXPECT_EQ(nodes_[1].room(now_), 4014u);
}

TEST_F(SessionSyncPorts, ASwitchThatSwallowsLongFramesGetsShortOnes) {
  start({kJumbo}, {kJumbo});
  wires_[0].passes = kStandard;
  pass(PortChoice::kRecent + 1500ms);
  EXPECT_EQ(nodes_[0].room(now_), kStandard);
  wires_[0].passes = kJumbo;
  pass(2s);
  EXPECT_EQ(nodes_[0].room(now_), kJumbo);
}

TEST_F(SessionSyncPorts, AHelloIsReadAsItWasWritten) {
  std::array<std::uint8_t, 60> body{};
  Hello hello;
  hello.port = 2;
  hello.heard = true;
  hello.takes = 4014;
  hello.longest = 9014;
  hello.write(body);
  const auto read = Hello::read(body);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->port, 2);
  EXPECT_TRUE(read->heard);
  EXPECT_FALSE(read->several);
  EXPECT_EQ(read->takes, 4014);
  EXPECT_EQ(read->longest, 9014);
  EXPECT_FALSE(Hello::read(Bytes(body).first(Hello::kSize - 1)));
}

}  // namespace
}  // namespace hotpair::dpdk
