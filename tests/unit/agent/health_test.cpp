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
    for (std::uint8_t i = 0; i < 3; ++i) health.link({i, true, true, 10'000, 10'000});
  }
  Health health{two_interfaces_and_a_lag(), kStart};
};

TEST_F(HealthVectors, SumWhatIsConnected) {
  EXPECT_TRUE(health.complete());
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 30'000u);
  EXPECT_FALSE(has_fault(health.vector(Forced::none), 0));
  health.link({1, true, false, 0, 10'000});
  const HealthVector after = health.vector(Forced::none);
  EXPECT_EQ(after.bandwidth_mbps, 20'000u);
  EXPECT_EQ(after.full_bandwidth_mbps, 30'000u);
  EXPECT_TRUE(has_fault(after, 0));
  ASSERT_EQ(health.lost_interfaces().size(), 1u);
  EXPECT_EQ(health.lost_interfaces()[0].view(), "tenant-a/wan");
}

TEST_F(HealthVectors, CountALagOnlyWhileItIsUsable) {
  EXPECT_EQ(health.vector(Forced::none).good_lags, 1);
  health.link({2, true, false, 0, 10'000});
  EXPECT_EQ(health.vector(Forced::none).good_lags, 0);
  EXPECT_EQ(health.vector(Forced::none).full_lags, 1);
}

TEST_F(HealthVectors, TakeAnUnknownSpeedForOneGigabit) {
  health.link({0, true, true, 0, 0});
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 21'000u);
}

TEST_F(HealthVectors, MissADeviceThatIsGone) {
  health.link({0, false, false, 0, 0});
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
  health.link({63, true, true, 10'000, 10'000});
  EXPECT_EQ(health.vector(Forced::none).bandwidth_mbps, 30'000u);
}

}  // namespace
}  // namespace hotpair::agent
