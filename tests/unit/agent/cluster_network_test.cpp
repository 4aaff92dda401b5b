// The cluster network: its addresses, what passes, over which path, how fast, and its frames.
#include "agent/core/cluster_network.hpp"

#include <gtest/gtest.h>

#include "agent/core/beat_jitter.hpp"
#include "agent/core/cluster_channel.hpp"
#include "tests/sim/toy_cipher.hpp"

namespace hotpair::agent {
namespace {

using simulation::ToyCipher;
using Frame = std::vector<std::uint8_t>;

TEST(ClusterAddresses, FollowFromGroupAndChassis) {
  const auto one = cluster_address(7, ChassisId::one), two = cluster_address(7, ChassisId::two);
  EXPECT_EQ(one.mac, (std::array<std::uint8_t, 6>{0x02, 0x48, 0x50, 0, 7, 1}));
  EXPECT_EQ(one.ipv4, (std::array<std::uint8_t, 4>{169, 254, 200, 29}));
  EXPECT_EQ(two.ipv4, (std::array<std::uint8_t, 4>{169, 254, 200, 30}));
  EXPECT_EQ(two.ipv6, (std::array<std::uint8_t, 16>{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x50,
                                                    0, 7, 0, 2}));
  EXPECT_EQ(cluster_address(1023, ChassisId::two).ipv4,
            (std::array<std::uint8_t, 4>{169, 254, 215, 254}))
      << "outside the blocks that RFC 3927 reserves";
}

TEST(ClusterMtu, IsWhatTheSmallestInterfaceCarriesWhole) {
  EXPECT_EQ(cluster_mtu(0), 1406u);
  EXPECT_EQ(cluster_mtu(1500), 1406u);
  EXPECT_EQ(cluster_mtu(9000), 1406u);
  EXPECT_EQ(cluster_mtu(1374), kIpv6MinMtu);
  EXPECT_EQ(cluster_mtu(100), kMinClusterMtu);
}

Frame inner(const ClusterAddress& from, const ClusterAddress& to, std::size_t payload = 46) {
  Frame frame(to.mac.begin(), to.mac.end());
  frame.insert(frame.end(), from.mac.begin(), from.mac.end());
  frame.resize(kInnerHeaderSize + payload, 0xab);
  return frame;
}

TEST(InnerFrames, PassOnlyBetweenTheTwoStations) {
  const auto one = cluster_address(7, ChassisId::one), two = cluster_address(7, ChassisId::two);
  EXPECT_FALSE(judge_inner(inner(one, two), one, two));
  EXPECT_FALSE(judge_inner(inner(one, two, kMaxClusterMtu), one, two));
  EXPECT_EQ(judge_inner(inner(one, two, kMaxClusterMtu + 1), one, two), InnerDrop::too_long);
  EXPECT_EQ(judge_inner(Frame(13), one, two), InnerDrop::too_short);
  EXPECT_EQ(judge_inner(inner(two, two), one, two), InnerDrop::foreign_source);
  EXPECT_EQ(judge_inner(inner(one, one), one, two), InnerDrop::foreign_destination);
  Frame broadcast = inner(one, two);
  std::fill_n(broadcast.begin(), 6, std::uint8_t{0xff});
  EXPECT_FALSE(judge_inner(broadcast, one, two));
}

TEST(ClusterPath, IsTheLowestThatWorksBothWays) {
  EXPECT_EQ(choose_cluster_path(0b11, 0b11, 2), 0);
  EXPECT_EQ(choose_cluster_path(0b10, 0b11, 2), 1);
  EXPECT_EQ(choose_cluster_path(0b01, 0b10, 2), 1) << "the peer hears us there";
  EXPECT_EQ(choose_cluster_path(0b01, 0, 2), 0);
  EXPECT_EQ(choose_cluster_path(0b110000, 0b110000, 2), std::nullopt)
      << "session sync and management carry no data";
  EXPECT_EQ(choose_cluster_path(0b100, 0b100, 2), std::nullopt) << "a path that is not ours";
}

TEST(TokenBuckets, HoldTheRateAndSayWhenTheNextFits) {
  TokenBucket bucket(1'000'000, 2000);
  Instant now{1s};
  EXPECT_TRUE(bucket.take(1500, now));
  EXPECT_FALSE(bucket.take(1500, now));
  EXPECT_EQ(to_us(bucket.wait_for(1500)), 1000);
  EXPECT_FALSE(bucket.take(1500, now + 999us));
  EXPECT_TRUE(bucket.take(1500, now + 1001us));
  std::uint64_t taken = 0;
  for (Instant t = now + 10ms; t < now + 1010ms; t += 10us)
    if (bucket.take(1000, t)) taken += 1000;
  EXPECT_NEAR(static_cast<double>(taken), 1e6, 5000);
}

TEST(BeatJitters, MeasureWhatIsBeyondTheInterval) {
  BeatJitter jitter;
  const Instant start{1s};
  jitter.heard(1, start, 10ms);
  jitter.heard(2, start + 11ms, 10ms);
  jitter.heard(3, start + 12ms, 10ms);  // off the beat
  jitter.heard(4, start + 28ms, 10ms);
  EXPECT_EQ(jitter.max(), 6ms);
  EXPECT_EQ(jitter.late(), 1u);
  jitter.heard(9, start + 80ms, 10ms);  // lost ones are counted elsewhere
  EXPECT_EQ(jitter.max(), 6ms);
  EXPECT_EQ(jitter.recent_max(start + 1s), 6ms);
  EXPECT_EQ(jitter.recent_max(start + 60s), 0ms);
}

// Two ends with keys as an association would give them.
struct End {
  End(ChassisId self, std::uint8_t own, std::uint8_t peers) : channel(self, 7, cipher) {
    keys.own.fill(own);
    keys.peers.fill(peers);
    keys.send.fill(own);
    keys.receive.fill(peers);
    channel.use(keys);
  }
  Frame seal(PathId path = 0) {
    Frame out(kMaxClusterFrame);
    out.resize(channel.seal(path, body, out));
    return out;
  }
  Rejection refusal(const Frame& frame, PathId path = 0) {
    const auto opened = channel.open(path, frame, room);
    return opened.ok() ? Rejection::count_ : opened.error();
  }
  ToyCipher cipher{"secret", Rng(1)};
  ChannelKeys keys;
  ClusterChannel channel;
  Frame body = Frame(100, 0x55);
  std::array<std::uint8_t, kMaxInnerFrame> room{};
};

struct ClusterChannels : testing::Test {
  End one{ChassisId::one, 1, 2}, two{ChassisId::two, 2, 1};
};

TEST_F(ClusterChannels, CarryEachFrameOnce) {
  const Frame frame = one.seal();
  const auto opened = two.channel.open(0, frame, two.room);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*opened, one.body.size());
  EXPECT_TRUE(std::equal(one.body.begin(), one.body.end(), two.room.begin()));
  EXPECT_EQ(two.refusal(frame), Rejection::replayed);
  EXPECT_EQ(two.refusal(one.seal(1), 1), Rejection::count_) << "each path counts for itself";
}

TEST_F(ClusterChannels, CarryTheLargestFrameInOneOfTheWire) {
  one.body = Frame(kMaxInnerFrame, 1);
  const Frame frame = one.seal();
  EXPECT_EQ(frame.size(), 1500u);
  EXPECT_EQ(two.refusal(frame), Rejection::count_);
  EXPECT_EQ(two.refusal(Frame(1501)), Rejection::too_long);
}

TEST_F(ClusterChannels, RefuseByNameWhatIsWrong) {
  const Frame frame = one.seal();
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Frame changed = frame;
    changed[at] = value;
    return two.refusal(changed);
  };
  EXPECT_EQ(two.refusal(Frame(79)), Rejection::too_short);
  EXPECT_EQ(with(0, 'X'), Rejection::wrong_magic);
  EXPECT_EQ(with(4, 2), Rejection::wrong_version);
  EXPECT_EQ(with(5, 1), Rejection::unknown_kind) << "a heartbeat does not pass for data";
  EXPECT_EQ(with(6, 1), Rejection::wrong_group);
  EXPECT_EQ(with(8, 2), Rejection::own_frame);
  EXPECT_EQ(with(8, 3), Rejection::bad_chassis_id);
  EXPECT_EQ(with(9, 1), Rejection::wrong_path);
  EXPECT_EQ(with(10, 1), Rejection::reserved_bits);
  EXPECT_EQ(with(16, 9), Rejection::stale_salt);
  EXPECT_EQ(with(32, 9), Rejection::not_echoed);
  EXPECT_EQ(with(70, static_cast<std::uint8_t>(frame[70] ^ 1)), Rejection::wrong_password);
  EXPECT_EQ(two.refusal(frame), Rejection::count_) << "none of this used the counter up";
}

TEST_F(ClusterChannels, LoseNothingWhileTheEndsChangeTheirKeysOneAfterTheOther) {
  const Frame before = one.seal();
  ChannelKeys next = two.keys;
  next.receive.fill(7);
  two.channel.use(next);
  EXPECT_EQ(two.refusal(before), Rejection::count_);
  EXPECT_EQ(two.refusal(before), Rejection::replayed) << "the window is the same one";
  one.keys.send.fill(7);
  one.channel.use(one.keys);
  EXPECT_EQ(two.refusal(one.seal()), Rejection::count_);
}

TEST_F(ClusterChannels, ForgetNoCounterWhileThereAreNoKeys) {
  const Frame frame = one.seal();
  EXPECT_EQ(two.refusal(frame), Rejection::count_);
  two.channel.use(std::nullopt);
  EXPECT_EQ(two.refusal(frame), Rejection::not_echoed);
  two.channel.use(two.keys);
  EXPECT_EQ(two.refusal(frame), Rejection::replayed);
}

}  // namespace
}  // namespace hotpair::agent
