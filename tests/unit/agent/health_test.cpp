#include "agent/core/health.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

constexpr Instant kStart{Duration(100s)};

NodeConfig two_interfaces_and_a_lag() {
  NodeConfig config;
  config.data_interfaces.push_back({"lan", false, ""});
  config.data_interfaces.push_back({"wan", false, "tenant-a"});
  config.data_interfaces.push_back({"core", true, ""});
  return config;
}

class HealthVectors : public testing::Test {
 protected:
  HealthVectors() {
    for (std::uint8_t i = 0; i < 3; ++i) link({i, true, true, 10'000, 10'000});
  }
  void link(const LinkChanged& change) { health.link(change, now); }
  // lan, after a while.
  void lan(Duration after, bool up) {
    now += after;
    link({0, true, up, up ? 10'000u : 0u, 10'000});
  }
  void wait(Duration time) {
    now += time;
    health.settle(now);
  }
  bool lan_counts() const { return health.vector(Forced::none).bandwidth_mbps == 30'000; }
  Instant now = kStart;
  Health health{two_interfaces_and_a_lag(), kStart};
};

TEST_F(HealthVectors, SumWhatIsConnected) {
  EXPECT_TRUE(health.complete());
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 30'000u);
  EXPECT_FALSE(has_fault(health.vector(Forced::none), 0));
  link({1, true, false, 0, 10'000});
  const HealthVector after = health.vector(Forced::none);
  EXPECT_EQ(after.bandwidth_mbps, 20'000u);
  EXPECT_EQ(after.full_bandwidth_mbps, 30'000u);
  EXPECT_TRUE(has_fault(after, 0));
  ASSERT_EQ(health.lost_interfaces().size(), 1u);
  EXPECT_EQ(health.lost_interfaces()[0].view(), "tenant-a/wan");
}

TEST_F(HealthVectors, CountALagOnlyWhileItIsUsable) {
  EXPECT_EQ(health.vector(Forced::none).good_lags, 1);
  link({2, true, false, 0, 10'000});
  EXPECT_EQ(health.vector(Forced::none).good_lags, 0);
  EXPECT_EQ(health.vector(Forced::none).full_lags, 1);
}

TEST_F(HealthVectors, TakeAnUnknownSpeedForOneGigabit) {
  link({0, true, true, 0, 0});
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 21'000u);
}

TEST_F(HealthVectors, MissADeviceThatIsGone) {
  link({0, false, false, 0, 0});
  EXPECT_TRUE(has_fault(health.vector(Forced::none), 0));
}

TEST_F(HealthVectors, ForgiveFailedModulesUpToTheTolerance) {
  health.modules({2, "ips", 128});
  EXPECT_TRUE(has_fault(health.vector(Forced::none), 1));
  EXPECT_FALSE(has_fault(health.vector(Forced::none), 2));
}

TEST_F(HealthVectors, DifferByUptimeOnlyInWhatIsNotAnInput) {
  const HealthVector before = health.vector(Forced::none);
  health.refresh_uptime(kStart + 90s);
  EXPECT_EQ(health.vector(Forced::none).uptime_s, 90u);
  EXPECT_TRUE(same_inputs(before, health.vector(Forced::none)));
}

TEST_F(HealthVectors, IgnoreAnInterfaceThatIsNotConfigured) {
  link({63, true, true, 10'000, 10'000});
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 30'000u);
}

TEST_F(HealthVectors, CountALinkAgainAtOnceAfterASingleLoss) {
  lan(100s, false);
  EXPECT_FALSE(lan_counts());
  lan(5s, true);
  EXPECT_TRUE(lan_counts());
  EXPECT_FALSE(health.held());
}

TEST_F(HealthVectors, CountALinkThatBouncesAfterABackOffThatDoubles) {
  lan(1s, false);
  lan(1s, true);
  for (const Duration backoff : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    lan(1s, false);
    EXPECT_FALSE(lan_counts()) << "a loss counts at once";
    lan(1s, true);
    ASSERT_TRUE(health.held());
    EXPECT_EQ(health.held()->until, now + backoff);
    EXPECT_EQ(health.held()->name.view(), "lan");
    EXPECT_EQ(health.next_change(), now + backoff);
    wait(backoff - 1ms);
    EXPECT_FALSE(lan_counts());
    EXPECT_EQ(health.vector_without_backoff(Forced::none).bandwidth_mbps, 30'000u);
    wait(1ms);
    EXPECT_TRUE(lan_counts());
    EXPECT_EQ(health.next_change(), Instant::max());
  }
}

TEST_F(HealthVectors, ForgetTheBouncesOfALinkThatWasUpForTheLongestBackOff) {
  for (int i = 0; i < 4; ++i) {
    lan(1s, false);
    lan(1s, true);
  }
  wait(4s);  // its back-off by now
  lan(60s, false);
  lan(1s, true);
  EXPECT_TRUE(lan_counts());
}

TEST_F(HealthVectors, TakeALagThatLosesItsMembersOneByOneForOneBounce) {
  link({2, true, true, 5'000, 10'000});
  link({2, true, false, 0, 10'000});
  link({2, true, true, 10'000, 10'000});
  EXPECT_FALSE(health.held());
}

TEST_F(HealthVectors, CountWhatARemoteMonitorAnswersOnceThePeerHadTheTimeToSeeItToo) {
  NodeConfig config = two_interfaces_and_a_lag();
  config.remote_monitors.push_back({"192.0.2.1", 100});
  config.remote_monitors.push_back({"192.0.2.2", 100});
  health.configure(config);
  const auto known = [&] { return health.vector(Forced::none).remote_known; };
  const auto reached = [&] { return health.vector(Forced::none).remote_reached; };
  health.remote({0b11}, now);
  EXPECT_EQ(known(), 0u);
  wait(500ms);
  EXPECT_EQ(known(), 0b11u);
  EXPECT_EQ(reached(), 0b11u);
  health.remote({0b10}, now);
  EXPECT_EQ(known(), 0b10u) << "not known while it is fresh";
  EXPECT_EQ(health.next_change(), now + 500ms);
  wait(500ms);
  EXPECT_EQ(known(), 0b11u);
  EXPECT_EQ(reached(), 0b10u);
}

TEST_F(HealthVectors, KeepWhatIsKnownOfAnInterfaceWhenTheListAroundItChanges) {
  NodeConfig config;
  config.data_interfaces.push_back({"dmz", false, ""});
  for (const auto& interface : two_interfaces_and_a_lag().data_interfaces)
    config.data_interfaces.push_back(interface);
  link({1, true, false, 0, 10'000});
  health.configure(config);
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 20'000u);
  EXPECT_FALSE(health.complete()) << "dmz was not reported yet";
  ASSERT_EQ(health.lost_interfaces().size(), 1u);
  EXPECT_EQ(health.lost_interfaces()[0].view(), "tenant-a/wan");
}

}  // namespace
}  // namespace hotpair::agent
