#include <gtest/gtest.h>

#include "agent/daemon/link_burst.hpp"
#include "agent/daemon/links.hpp"
#include "agent/daemon/modules.hpp"
#include "platform/linux/clock.hpp"
#include "tests/unit/platform/network_namespace.hpp"

namespace hotpair::daemon {
namespace {

sys::LinkInfo nic(const std::string& name, bool up, std::optional<std::uint32_t> speed) {
  sys::LinkInfo link;
  link.name = name;
  link.admin_up = true;
  link.carrier = up;
  link.speed_mbps = speed;
  return link;
}

sys::LinkInfo bond(std::uint8_t mode) {
  auto link = nic("bond0", true, std::nullopt);
  link.kind = "bond";
  link.bond_mode = mode;
  link.bond_aggregator = 1;
  return link;
}

sys::LinkInfo member(const std::string& name, bool up, std::uint16_t aggregator = 1,
                     std::uint8_t actor_state = 0x3f) {
  auto link = nic(name, up, up ? std::optional<std::uint32_t>(10000) : std::nullopt);
  link.bond_member = sys::BondMember{up, true, aggregator, actor_state, 0};
  return link;
}

agent::LinkChanged assess_lag(const sys::LinkInfo& lag, const std::vector<sys::LinkInfo>& members,
                              int threshold, KnownSpeeds& speeds) {
  const LagState state = judge_lag(lag, members, threshold, speeds);
  return assess_link(&lag, &state, speeds);
}

TEST(LinkTest, ADeviceThatIsGoneIsAbsentAndDown) {
  KnownSpeeds speeds;
  const auto state = assess_link(nullptr, nullptr, speeds);
  EXPECT_FALSE(state.present);
  EXPECT_FALSE(state.up);
}

TEST(LinkTest, AnUnknownSpeedCountsAsAGigabit) {
  KnownSpeeds speeds;
  const auto link = nic("veth0", true, std::nullopt);
  EXPECT_EQ(assess_link(&link, nullptr, speeds).speed_mbps, 1000u);
}

TEST(LinkTest, AnUnpluggedLinkStillTellsWhatItWouldContribute) {
  KnownSpeeds speeds;
  const auto up = nic("eth0", true, 25000);
  assess_link(&up, nullptr, speeds);
  const auto down = nic("eth0", false, std::nullopt);
  const auto state = assess_link(&down, nullptr, speeds);
  EXPECT_EQ(state.speed_mbps, 0u);
  EXPECT_EQ(state.full_speed_mbps, 25000u);
}

TEST(LagTest, WithThresholdZeroOneLostMemberIsEnough) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  const std::vector members{member("a", true), member("b", false)};
  EXPECT_FALSE(assess_lag(lag, members, 0, speeds).up);
}

TEST(LagTest, WithinTheThresholdItCountsAsWholeAndTellsWhatIsUsable) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  assess_lag(lag, {member("a", true), member("b", true)}, 1, speeds);
  const auto state = assess_lag(lag, {member("a", true), member("b", false)}, 1, speeds);
  EXPECT_TRUE(state.up);
  EXPECT_EQ(state.speed_mbps, 20000u);
  EXPECT_EQ(state.full_speed_mbps, 20000u);
  const auto told = judge_lag(lag, {member("a", true), member("b", false)}, 1, speeds);
  EXPECT_EQ(told.usable, 1u);
  EXPECT_EQ(told.speed_mbps, 10000u);
}

TEST(LagTest, AnLacpMemberOutsideTheActiveAggregatorIsLost) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  EXPECT_EQ(judge_member(lag, member("a", true, 2)).why, "in aggregator 2, active is 1");
  EXPECT_EQ(judge_member(lag, member("a", true, 1, 0x0f)).why, "LACP: the partner is not in sync");
  EXPECT_TRUE(judge_member(lag, member("a", true, 1)).usable);
}

TEST(LagTest, AnActiveBackupBondCarriesWhatOneMemberCarries) {
  KnownSpeeds speeds;
  const auto lag = bond(1);
  const auto state = assess_lag(lag, {member("a", true), member("b", true)}, 0, speeds);
  EXPECT_EQ(state.speed_mbps, 10000u);
}

TEST(LagTest, TheCapacityOfAnActiveBackupBondIsThatOfItsActiveMember) {
  KnownSpeeds speeds;
  auto slow = member("slow", true);
  slow.speed_mbps = 1000;
  auto standby = member("fast", true);
  standby.bond_member->active = false;
  const auto state = judge_lag(bond(1), {slow, standby}, 0, speeds);
  EXPECT_EQ(state.usable, 2u);
  EXPECT_EQ(state.score, LagState::Score::good);
  EXPECT_EQ(state.speed_mbps, 1000u);
  EXPECT_EQ(state.full_speed_mbps, 1000u) << "nothing is missing";
  // The fast one was active and is lost: that is missed.
  const auto after = judge_lag(bond(1), {slow, member("fast", false)}, 1, speeds);
  EXPECT_EQ(after.speed_mbps, 1000u);
  EXPECT_EQ(after.full_speed_mbps, 10000u);
}

TEST(LagTest, BadIsMoreLostThanForgivenAndDownIsNothingLeft) {
  KnownSpeeds speeds;
  const auto lag = bond(0);
  const auto score = [&](bool a, bool b, bool c, int threshold) {
    return judge_lag(lag, {member("a", a), member("b", b), member("c", c)}, threshold, speeds)
        .score;
  };
  EXPECT_EQ(score(true, true, true, 0), LagState::Score::good);
  EXPECT_EQ(score(true, true, false, 0), LagState::Score::bad);
  EXPECT_EQ(score(true, true, false, 1), LagState::Score::good);
  EXPECT_EQ(score(true, false, false, 1), LagState::Score::bad);
  EXPECT_EQ(score(false, false, false, 80), LagState::Score::down);
}

TEST(LagTest, OfATeamTheMembersCarrierIsAllThatIsKnown) {
  KnownSpeeds speeds;
  auto team = nic("team0", true, std::nullopt);
  team.kind = "team";
  const auto state =
      judge_lag(team, {nic("a", true, 10000), nic("b", false, std::nullopt)}, 1, speeds);
  EXPECT_EQ(state.mode, "team");
  EXPECT_EQ(state.usable, 1u);
  EXPECT_EQ(state.members[1].why, "no carrier");
}

TEST(LagTest, WithoutMembersItIsDownWhateverTheThreshold) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  EXPECT_FALSE(assess_lag(lag, {}, 80, speeds).up);
}

// The monitor's events are left unread: as if the kernel kept them back.
HOTPAIR_NETWORK_TEST(LinkBurstTest, ACarrierThatNoEventToldOfYetIsLearnt) {
  ASSERT_TRUE(test::run_command("ip link add name va type veth peer name vz && ip link set va up"));
  auto loop = std::move(*sys::EventLoop::create());
  auto monitor = std::move(*sys::LinkMonitor::open());
  Worker worker(*loop, "kernel", 0);
  int learnt = 0;
  LinkBurst burst({*loop, worker, *monitor, [&] { ++learnt; }},
                  std::move(*sys::LinkReader::open()));
  const auto carries = [&](bool carrier) {
    burst.on_event(monitor->find("va")->ifindex);
    const Instant patience = sys::now() + 10s;
    while (monitor->find("va")->carrier != carrier && sys::now() < patience) {
      burst.on_event(monitor->find("va")->ifindex);
      loop->run_once(10ms);
    }
    return monitor->find("va")->carrier == carrier;
  };
  ASSERT_TRUE(test::run_command("ip link set vz up"));
  EXPECT_TRUE(carries(true));
  ASSERT_TRUE(test::run_command("ip link set vz down"));
  EXPECT_TRUE(carries(false));
  EXPECT_EQ(learnt, 2) << "told when there is news, not at each look";
}

TEST(ModulesTest, AnInterfaceModuleFailsWhenADeviceOfItIsGone) {
  config::Config config;
  config::Module module;
  module.slot = 4;
  module.interfaces = {"lan", "wan"};
  config.cluster.modules = {module};
  config.node.interfaces["wan"] = "eth9";
  bool there = true;
  Modules modules([&](const std::string& device) { return device != "eth9" || there; },
                  [] { return Instant(1s); });
  modules.configure(config);
  EXPECT_EQ(modules.state().failed, 0);
  there = false;
  modules.refresh();
  EXPECT_EQ(modules.state().failed, 1);
  EXPECT_EQ(modules.state().first_failed.view(), "slot 4: device eth9 is gone");
  there = true;
  modules.refresh();
  EXPECT_EQ(modules.state().failed, 0);
}

}  // namespace
}  // namespace hotpair::daemon
