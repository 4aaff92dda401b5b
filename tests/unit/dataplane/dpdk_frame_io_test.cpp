// Session-sync frames: what is taken, what is ignored and by which name.
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/dpdk/frame_io.hpp"

namespace hotpair::dpdk {
namespace {

using dataplane::control::SetKeys;

constexpr std::size_t kFrameSize = 1514;

SetKeys keys(std::uint8_t tx, std::uint32_t tx_id, std::uint8_t rx, std::uint32_t rx_id) {
  SetKeys out;
  out.tx_key.fill(tx);
  out.rx_key.fill(rx);
  out.tx_key_id = tx_id;
  out.rx_key_id = rx_id;
  return out;
}

struct Node {
  Counters counters;
  FrameIo io;
  Wire wire;
  std::vector<std::uint8_t> scratch = std::vector<std::uint8_t>(kFrameSize);
  Node(std::uint8_t chassis, std::uint16_t group = 7)
      : io({group, chassis, 0x9890}, counters), wire{{2, 0, 0, 0, 0, chassis}, std::nullopt} {}

  std::vector<std::uint8_t> seal(const std::string& body) {
    std::vector<std::uint8_t> frame(kFrameSize);
    std::copy(body.begin(), body.end(), frame.begin() + kBodyOffset);
    frame.resize(io.seal(FrameIo::Kind::replication, frame, body.size(), wire));
    return frame;
  }
  // The body, or "" when the frame was ignored.
  std::string open(const std::vector<std::uint8_t>& frame) {
    const FrameIo::Opened opened = io.open(frame, scratch, wire);
    return {opened.content.begin(), opened.content.end()};
  }
};

class SessionSyncFrames : public testing::Test {
 protected:
  void SetUp() override {
    one_.io.set_keys(keys('A', 1, 'B', 2));
    two_.io.set_keys(keys('B', 2, 'A', 1));
  }
  Node one_{1}, two_{2};
};

TEST_F(SessionSyncFrames, WhatIsSealedIsOpened) {
  EXPECT_EQ(two_.open(one_.seal("sessions")), "sessions");
  EXPECT_EQ(one_.open(two_.seal("thanks")), "thanks");
}

TEST_F(SessionSyncFrames, GoToTheGroupUntilThePeerIsHeardAndThenToItsPort) {
  auto destination = [](const std::vector<std::uint8_t>& frame) {
    return std::vector<int>(frame.begin(), frame.begin() + 6);
  };
  EXPECT_THAT(destination(one_.seal("x")), testing::ElementsAre(3, 0x48, 0x50, 1, 0, 7));
  one_.open(two_.seal("x"));
  EXPECT_THAT(destination(one_.seal("x")), testing::ElementsAre(2, 0, 0, 0, 0, 2));
  one_.wire.peer.reset();
  EXPECT_THAT(destination(one_.seal("x")), testing::ElementsAre(3, 0x48, 0x50, 1, 0, 7));
}

TEST_F(SessionSyncFrames, ASecondCopyIsIgnored) {
  const auto frame = one_.seal("x");
  EXPECT_EQ(two_.open(frame), "x");
  EXPECT_EQ(two_.open(frame), "");
  EXPECT_EQ(two_.counters.rejected_replay, 1u);
}

TEST_F(SessionSyncFrames, AKeyThatReturnsAdmitsNothingTwiceAndUsesNoCounterTwice) {
  const auto recorded = one_.seal("x");
  EXPECT_EQ(two_.open(recorded), "x");
  two_.io.set_keys(keys('B', 2, 'C', 3));
  two_.io.set_keys(keys('B', 2, 'A', 1));
  EXPECT_EQ(two_.open(recorded), "");

  one_.io.set_keys(keys('A', 1, 'B', 2));
  const auto later = one_.seal("x");
  EXPECT_NE(std::vector<int>(recorded.begin() + 30, recorded.begin() + 38),
            std::vector<int>(later.begin() + 30, later.begin() + 38));
}

TEST_F(SessionSyncFrames, ASwitchOfKeysLosesNothingThatIsUnderWay) {
  const auto under_way = one_.seal("old key");
  two_.io.set_keys(keys('B', 2, 'C', 3));
  one_.io.set_keys(keys('C', 3, 'B', 2));
  EXPECT_EQ(two_.open(under_way), "old key");
  EXPECT_EQ(two_.open(one_.seal("new key")), "new key");
}

TEST_F(SessionSyncFrames, WithoutAPeerNothingIsSentAndNothingSealedIsTaken) {
  const auto frame = one_.seal("x");
  one_.io.set_keys({});
  two_.io.set_keys({});
  EXPECT_FALSE(one_.io.can_send());
  EXPECT_EQ(two_.open(frame), "");
  EXPECT_EQ(two_.counters.rejected_no_key, 1u);
}

TEST_F(SessionSyncFrames, ARelayedHeartbeatIsCarriedAsItIsEvenWithoutKeys) {
  one_.io.set_keys({});
  const std::vector<std::uint8_t> heartbeat(144, 0x5a);
  std::vector<std::uint8_t> frame(kFrameSize);
  frame.resize(one_.io.relay(heartbeat, frame, one_.wire));
  frame.resize(frame.size() + 6);  // padding on the way
  const FrameIo::Opened opened = two_.io.open(frame, two_.scratch, two_.wire);
  EXPECT_EQ(opened.kind, FrameIo::Kind::relayed);
  EXPECT_TRUE(
      std::equal(heartbeat.begin(), heartbeat.end(), opened.content.begin(), opened.content.end()));

  std::vector<std::uint8_t> small(100);
  EXPECT_EQ(one_.io.relay(heartbeat, small, one_.wire), 0u);
}

TEST_F(SessionSyncFrames, AHeartbeatThatCameByAnotherPortAlreadyIsNotToldTwice) {
  std::vector<std::uint8_t> heartbeat(144, 0x5a);
  std::vector<std::uint8_t> frame(kFrameSize);
  const std::size_t size = one_.io.relay(heartbeat, frame, one_.wire);
  Wire other_port{{2, 0, 0, 0, 1, 2}, std::nullopt};
  const Bytes sent = Bytes(frame).first(size);
  EXPECT_EQ(two_.io.open(sent, two_.scratch, two_.wire).kind, FrameIo::Kind::relayed);
  EXPECT_EQ(two_.io.open(sent, two_.scratch, other_port).kind, FrameIo::Kind::nothing);
  EXPECT_EQ(two_.counters.relayed_twice, 1u);
  heartbeat.back() = 0;  // the next one has another tag
  ASSERT_EQ(one_.io.relay(heartbeat, frame, one_.wire), size);
  EXPECT_EQ(two_.io.open(sent, two_.scratch, other_port).kind, FrameIo::Kind::relayed);
}

TEST_F(SessionSyncFrames, AHelloIsToldFromSessionsAndTeachesTheAddressOfItsOwnWire) {
  std::vector<std::uint8_t> frame(kFrameSize);
  Wire second{{2, 0, 0, 0, 1, 1}, std::nullopt}, far_end{{2, 0, 0, 0, 1, 2}, std::nullopt};
  frame.resize(one_.io.seal(FrameIo::Kind::hello, frame, 4, second));
  EXPECT_EQ(two_.io.open(frame, two_.scratch, far_end).kind, FrameIo::Kind::hello);
  EXPECT_EQ(far_end.peer, second.own);
  EXPECT_FALSE(two_.wire.peer);
}

struct Reason {
  const char* name;
  std::uint64_t Counters::*counter;
  std::function<void(std::vector<std::uint8_t>&)> damage;
};

TEST_F(SessionSyncFrames, EachRejectionHasItsName) {
  const Reason reasons[] = {
      {"too short for Ethernet", &Counters::rejected_short, [](auto& f) { f.resize(13); }},
      {"too short for the header", &Counters::rejected_short, [](auto& f) { f.resize(37); }},
      {"cut off", &Counters::rejected_short, [](auto& f) { f.pop_back(); }},
      {"shorter than a tag", &Counters::rejected_short, [](auto& f) { f[24] = 0, f[25] = 15; }},
      {"another protocol", &Counters::foreign_frames, [](auto& f) { f[12] = 8; }},
      {"magic", &Counters::rejected_magic, [](auto& f) { f[14] = 'X'; }},
      {"version", &Counters::rejected_version, [](auto& f) { f[18] = 1; }},
      {"kind", &Counters::rejected_kind, [](auto& f) { f[19] = 9; }},
      {"group", &Counters::rejected_group, [](auto& f) { f[21] = 8; }},
      {"reserved", &Counters::rejected_reserved, [](auto& f) { f[23] = 1; }},
      {"our own", &Counters::rejected_own, [](auto& f) { f[22] = 2; }},
      {"key", &Counters::rejected_no_key, [](auto& f) { f[29] = 9; }},
      {"counter changed", &Counters::rejected_tag, [](auto& f) { f[37] ^= 1; }},
      {"body changed", &Counters::rejected_tag, [](auto& f) { f[kBodyOffset] ^= 1; }},
      {"tag changed", &Counters::rejected_tag, [](auto& f) { f.back() ^= 1; }},
      {"length shortened", &Counters::rejected_tag, [](auto& f) { f[25] -= 1; }},
  };
  for (const Reason& reason : reasons) {
    auto frame = one_.seal("sessions");
    reason.damage(frame);
    const std::uint64_t before = two_.counters.*reason.counter;
    EXPECT_EQ(two_.open(frame), "") << reason.name;
    EXPECT_EQ(two_.counters.*reason.counter, before + 1) << reason.name;
  }
}

TEST_F(SessionSyncFrames, NoLengthAndNoByteMakesAFrameThatIsTaken) {
  const auto good = one_.seal("sessions");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(two_.open({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}), "");
  for (std::size_t at = 14; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x10;
    const FrameIo::Opened opened = two_.io.open(bad, two_.scratch, two_.wire);
    EXPECT_NE(opened.kind, FrameIo::Kind::replication) << "byte " << at;
  }
  EXPECT_EQ(two_.open(good), "sessions");
}

}  // namespace
}  // namespace hotpair::dpdk
