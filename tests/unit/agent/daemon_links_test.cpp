#include <gtest/gtest.h>

#include "agent/daemon/links.hpp"
#include "agent/daemon/modules.hpp"

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

TEST(LinkTest, ADeviceThatIsGoneIsAbsentAndDown) {
  KnownSpeeds speeds;
  const auto state = assess_link(nullptr, {}, false, 0, speeds);
  EXPECT_FALSE(state.present);
  EXPECT_FALSE(state.up);
}

TEST(LinkTest, AnUnknownSpeedCountsAsAGigabit) {
  KnownSpeeds speeds;
  const auto link = nic("veth0", true, std::nullopt);
  EXPECT_EQ(assess_link(&link, {}, false, 0, speeds).speed_mbps, 1000u);
}

TEST(LinkTest, AnUnpluggedLinkStillTellsWhatItWouldContribute) {
  KnownSpeeds speeds;
  const auto up = nic("eth0", true, 25000);
  assess_link(&up, {}, false, 0, speeds);
  const auto down = nic("eth0", false, std::nullopt);
  const auto state = assess_link(&down, {}, false, 0, speeds);
  EXPECT_EQ(state.speed_mbps, 0u);
  EXPECT_EQ(state.full_speed_mbps, 25000u);
}

TEST(LagTest, WithThresholdZeroOneLostMemberIsEnough) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  const std::vector members{member("a", true), member("b", false)};
  EXPECT_FALSE(assess_link(&lag, members, true, 0, speeds).up);
}

TEST(LagTest, WithinTheThresholdItCountsItsUsableMembers) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  assess_link(&lag, {member("a", true), member("b", true)}, true, 1, speeds);
  const auto state = assess_link(&lag, {member("a", true), member("b", false)}, true, 1, speeds);
  EXPECT_TRUE(state.up);
  EXPECT_EQ(state.speed_mbps, 10000u);
  EXPECT_EQ(state.full_speed_mbps, 20000u);
}

TEST(LagTest, AnLacpMemberOutsideTheActiveAggregatorIsLost) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  EXPECT_FALSE(member_usable(lag, member("a", true, 2)));
  EXPECT_FALSE(member_usable(lag, member("a", true, 1, 0x0f)));  // not collecting, not distributing
  EXPECT_TRUE(member_usable(lag, member("a", true, 1)));
}

TEST(LagTest, AnActiveBackupBondCarriesWhatOneMemberCarries) {
  KnownSpeeds speeds;
  const auto lag = bond(1);
  const auto state = assess_link(&lag, {member("a", true), member("b", true)}, true, 0, speeds);
  EXPECT_EQ(state.speed_mbps, 10000u);
}

TEST(LagTest, WithoutMembersItIsDownWhateverTheThreshold) {
  KnownSpeeds speeds;
  const auto lag = bond(4);
  EXPECT_FALSE(assess_link(&lag, {}, true, 80, speeds).up);
}

TEST(ModulesTest, AnInterfaceModuleFailsWhenADeviceOfItIsGone) {
  config::Config config;
  config::Module module;
  module.slot = 4;
  module.interfaces = {"lan", "wan"};
  config.cluster.modules = {module};
  config.node.interfaces["wan"] = "eth9";
  bool there = true;
  Modules modules([&](const std::string& device) { return device != "eth9" || there; });
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
