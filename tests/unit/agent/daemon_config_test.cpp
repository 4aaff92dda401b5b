#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/node_config.hpp"

namespace hotpair::daemon {
namespace {

constexpr const char* kNode = R"(
chassis_id: 2
hostname: fw2
serial: FW-2
priority: 50
modules: { 1: { priority: 200 } }
heartbeat_interfaces:
  - { interface: ha0, vlan: 999 }
  - { interface: ha1, vlan: 100, ethertype: 0x9999 }
interfaces: { lan: ens3f0 }
)";

constexpr const char* kCluster = R"(
group_id: 7
redundant_interfaces:
  - { interface: lan, addresses: [192.0.2.1/24] }
  - { interface: wan, addresses: [198.51.100.1/24] }
management: { interface: mgmt0, addresses: [203.0.113.5/24] }
modules:
  - { slot: 1, kind: interface, interfaces: [lan, wan], priority: 128 }
  - { slot: 2, kind: interface, interfaces: [mgmt0], priority: 30 }
logical_systems:
  - { name: tenant-a, vrf: vrf-a, interfaces: [lan-a] }
)";

config::Config parsed(std::string node = kNode, std::string cluster = kCluster) {
  auto config = config::parse_config(node, cluster);
  EXPECT_TRUE(config) << (config ? "" : config.error().front().text());
  return config ? *config : config::Config{};
}

NodePlan planned(const config::Config& config) {
  auto plan = make_plan(config, [](const std::string& device) { return device == "ens3f0"; });
  EXPECT_TRUE(plan);
  return *plan;
}

TEST(NodePlanTest, WatchesMonitoredInterfacesAndThoseOfLogicalSystemsAndModulesOnce) {
  std::vector<std::string> names;
  for (const auto& interface : planned(parsed()).data_interfaces)
    names.push_back(interface.name + "=" + interface.device + "/" + interface.logical_system);
  EXPECT_THAT(names, testing::ElementsAre("lan=ens3f0/", "wan=wan/", "lan-a=lan-a/tenant-a",
                                          "mgmt0=mgmt0/"));
}

TEST(NodePlanTest, TakesBondsAndTeamsForLagsWhenNoneAreNamed) {
  const auto plan = planned(parsed());
  EXPECT_TRUE(plan.data_interfaces[0].lag);
  EXPECT_FALSE(plan.data_interfaces[1].lag);
}

TEST(NodePlanTest, ManagementAddressesFollowThePrimaryToo) {
  const auto plan = planned(parsed());
  ASSERT_EQ(plan.addresses.size(), 3u);
  EXPECT_EQ(plan.addresses[0].device, "ens3f0");
  EXPECT_EQ(plan.addresses[2].device, "mgmt0");
  EXPECT_TRUE(plan.addresses[2].management);
}

TEST(NodePlanTest, ADeviceInTheVrfOfALogicalSystemBelongsToItNamedOrNot) {
  auto config = parsed();
  config.cluster.logical_systems = {{"tenant-a", "vrf-a", 10, {}, {}}};
  const auto plan = make_plan(
      config, [](const auto&) { return false; },
      [](const std::string& vrf) {
        return vrf == "vrf-a" ? std::vector<std::string>{"ens9", "ens3f0"}
                              : std::vector<std::string>{};
      });
  ASSERT_TRUE(plan);
  const auto& found = plan->data_interfaces;
  const auto named = [&](const std::string& device) {
    return std::find_if(found.begin(), found.end(),
                        [&](const auto& interface) { return interface.device == device; });
  };
  ASSERT_NE(named("ens9"), found.end());
  EXPECT_EQ(named("ens9")->logical_system, "tenant-a");
  EXPECT_EQ(named("ens9")->vrf, "vrf-a");
  ASSERT_NE(named("ens3f0"), found.end());
  EXPECT_EQ(named("ens3f0")->logical_system, "tenant-a");
  EXPECT_EQ(std::count_if(found.begin(), found.end(),
                          [](const auto& interface) { return interface.device == "ens3f0"; }),
            1);
}

TEST(NodePlanTest, AHeartbeatInterfaceMayHaveAnEthertypeOfItsOwn) {
  const auto plan = planned(parsed());
  EXPECT_EQ(plan.heartbeats[0], (HeartbeatPath{"ha0", 999, 0x9890}));
  EXPECT_EQ(plan.heartbeats[1], (HeartbeatPath{"ha1", 100, 0x9999}));
}

constexpr const char* kSmallNode =
    "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\ninterfaces: { lan: ens3f0 }\n";
constexpr const char* kVirtual = R"(
group_id: 519
redundant_interfaces:
  - { interface: wan, addresses: [198.51.100.1/24], virtual_mac: true }
  - { interface: lan, addresses: [192.0.2.1/24], virtual_mac: true }
  - { interface: a-long-dmz-name, addresses: [10.0.0.1/24], virtual_mac: true }
  - { interface: mgmt, addresses: [10.0.1.1/24] }
)";

TEST(VirtualMacTest, AddressesStandOnAMacvlanNamedAfterTheClustersInterface) {
  const auto plan = planned(parsed(kSmallNode, kVirtual));
  std::vector<std::string> places;
  for (const auto& address : plan.addresses) places.push_back(address.device);
  EXPECT_THAT(places, testing::ElementsAre("hv-wan", "hv-lan", "hv-a-long--cad9", "mgmt"));
  ASSERT_EQ(plan.virtual_devices.size(), 3u);
  EXPECT_EQ(plan.virtual_devices[1].parent, "ens3f0");
}

TEST(VirtualMacTest, TheMacAddressIsLocalAndNamesGroupAndInterfaceWhateverTheirOrder) {
  auto config = parsed(kSmallNode, kVirtual);
  const auto devices = virtual_devices(config);
  std::swap(config.cluster.redundant_interfaces[0], config.cluster.redundant_interfaces[1]);
  EXPECT_EQ(virtual_devices(config), devices);
  EXPECT_THAT(sys::to_text(devices[1].mac), testing::StartsWith("02:48:50:02:07:"));
  EXPECT_NE(devices[0].mac, devices[1].mac);
  EXPECT_TRUE(is_virtual_device("hv-lan", devices[1].mac, 519));
  EXPECT_FALSE(is_virtual_device("hv-lan", devices[1].mac, 520)) << "of another cluster";
}

TEST(VirtualMacTest, AnInterfaceThatIsAddedChangesNobodyElsesMacAddress) {
  const auto config = parsed(kSmallNode, kVirtual);
  auto smaller = config;
  smaller.cluster.redundant_interfaces.erase(smaller.cluster.redundant_interfaces.begin() + 2);
  EXPECT_EQ(virtual_devices(smaller)[0].mac, virtual_devices(config)[1].mac);
}

TEST(NodePlanTest, PriorityIsTheSumOverInterfaceModulesWithThisBoxsOverrides) {
  EXPECT_EQ(planned(parsed()).node.priority, 230u);
}

TEST(NodePlanTest, WithoutInterfaceModulesTheBoxsOwnPriorityCounts) {
  auto config = parsed();
  config.cluster.modules.clear();
  EXPECT_EQ(module_priority(config), 50u);
}

TEST(ReloadTest, WhatCannotChangeLiveIsNamedWithBothValues) {
  const auto running = parsed();
  auto wanted = running;
  wanted.cluster.group_id = 8;
  wanted.node.heartbeat_interfaces[0].vlan = 998;
  EXPECT_THAT(changes_that_need_a_restart(running, wanted),
              testing::ElementsAre("group_id (running with '7', the file says '8')",
                                   testing::HasSubstr("ha0 vlan 998")));
}

TEST(NodePlanTest, AManagementPathIsTheSixthPath) {
  const auto plan = planned(parsed(
      std::string(kNode) + "management_path: { local: 203.0.113.11, peer: 203.0.113.12 }\n"));
  EXPECT_TRUE(plan.node.paths[agent::kManagementPath].configured);
  EXPECT_EQ(plan.node.paths[agent::kManagementPath].kind, agent::PathConfig::Kind::management);
  ASSERT_TRUE(plan.management_path);
  EXPECT_EQ(sys::to_text(plan.management_path->peer), "203.0.113.12");
  EXPECT_EQ(plan.management_path->port, 9890);
}

TEST(ReloadTest, NewAddressesAndTimingNeedNoRestart) {
  const auto running = parsed();
  auto wanted = running;
  wanted.cluster.heartbeat.interval = 20ms;
  wanted.cluster.redundant_interfaces.pop_back();
  EXPECT_THAT(changes_that_need_a_restart(running, wanted), testing::IsEmpty());
}

}  // namespace
}  // namespace hotpair::daemon
