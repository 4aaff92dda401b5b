// What the doctor says of a box: a healthy one, and each thing that can be wrong with it.
#include <gtest/gtest.h>

#include "tools/ctl/doctor/box.hpp"
#include "tools/ctl/doctor/config_checks.hpp"

namespace hotpair::ctl {
namespace {

Nic nic(Nic::Use use, const char* device) {
  Nic made;
  made.use = use;
  made.name = made.device = device;
  made.exists = made.admin_up = made.carrier = true;
  made.mtu = 1500;
  made.speed_mbps = 10'000;
  made.duplex = Nic::Duplex::full;
  made.rp_filter = 0;
  made.arp_ignore = made.arp_announce = 0;
  made.ipv6_forwarding = 1;
  made.ipv6_disabled = 0;
  return made;
}

class Doctor : public testing::Test {
 protected:
  Doctor() {
    box.root = true;
    box.agent = {true, ~std::uint64_t{0}, 60, UINT64_MAX};
    box.clock_synchronised = true;
    box.nics = {nic(Nic::Use::heartbeat, "ha0"), nic(Nic::Use::heartbeat, "ha1"),
                nic(Nic::Use::data, "lan")};
    lan().has_ipv4 = lan().has_ipv6 = true;
    box.forwarding = {1, 1, 0, 0, 0};
    box.conntrack = {262'144, 262'144, 1000, 1, 0};
    box.nf_tables = true;
    box.hugepages_total = box.hugepages_free = 512;
    box.online = {0, 1, 2, 3};
    box.isolated = box.tickless = {2};
    box.systemd = true;
    box.units = {{"hotpaird.service", true, true, true}};
    box.pci = {{"0000:3b:00.1", "vfio-pci", true}};
    config.cluster.session_pickup.enabled = true;
    config.cluster.redundant_interfaces.resize(1);
    config.node.heartbeat_interfaces.resize(2);
    config.node.session_sync.devices = {"0000:3b:00.1"};
    config.node.session_sync.lcores = {2};
  }
  Nic& heartbeat() { return box.nics[0]; }
  Nic& lan() { return box.nics[2]; }

  std::vector<std::string> found() const {
    Report report;
    check_configuration(config, report);
    check_box(box, config, report);
    std::vector<std::string> ids;
    for (const auto& finding : report.findings()) {
      ids.push_back(finding.id);
      EXPECT_FALSE(finding.found.empty() || finding.cause.empty() || finding.mend.empty())
          << finding.id;
    }
    return ids;
  }
  void expect(const char* id) const { EXPECT_EQ(found(), std::vector<std::string>{id}); }

  Box box;
  config::Config config;
};

TEST_F(Doctor, SaysNothingOfABoxThatIsWell) {
  EXPECT_TRUE(found().empty()) << found().front();
}

TEST_F(Doctor, SaysNothingOfWhatItCouldNotRead) {
  const auto nics = box.nics;
  const auto conntrack = box.conntrack;
  box = {};
  box.root = true;
  box.nics = nics;
  box.conntrack = conntrack;
  box.conntrack.events.reset();
  lan().rp_filter.reset();
  config.node.session_sync.lcores.clear();
  EXPECT_TRUE(found().empty()) << found().front();
}

TEST_F(Doctor, NamesASilentHeartbeatInterface) {
  heartbeat().carrier = false;
  expect("box.heartbeat-link");
}

TEST_F(Doctor, NamesADeviceThatIsNotThere) {
  lan().exists = false;
  expect("config.device-missing");
}

TEST_F(Doctor, NamesAnInterfaceThatIsTooSmallForAHeartbeat) {
  heartbeat().mtu = 1280;
  expect("box.heartbeat-mtu");
}

TEST_F(Doctor, NamesHalfDuplexAndASlowHeartbeat) {
  lan().duplex = Nic::Duplex::half;
  expect("box.data-duplex");
  lan().duplex = Nic::Duplex::unknown;
  heartbeat().speed_mbps = 10;
  expect("box.heartbeat-speed");
}

TEST_F(Doctor, NamesASessionSyncPortThatIsFarFromTheCpu) {
  box.nodes = {{0, {0, 1}, 0}, {1, {2, 3}, 0}};
  box.sync_nodes = {{"0000:3b:00.1", 1}};
  EXPECT_TRUE(found().empty()) << "CPU 2 is beside it";
  box.sync_nodes = {{"0000:3b:00.1", 0}};
  expect("box.numa");
}

TEST_F(Doctor, KnowsThatTheLastCpuIsTakenWhereNoneIsNamed) {
  box.nodes = {{0, {0, 1}, 0}, {1, {2, 3}, 0}};
  config.node.session_sync.lcores.clear();
  box.sync_nodes = {{"0000:3b:00.1", 1}};
  EXPECT_TRUE(found().empty());
  box.sync_nodes = {{"0000:3b:00.1", 0}};
  expect("box.numa");
}

TEST_F(Doctor, SeesThatTwoPathsAreOnOneDevice) {
  box.nics[0].parent = box.nics[1].parent = "eth0";
  expect("pair.paths-share-device");
}

TEST_F(Doctor, SeesThatTwoPathsAreOnOneCard) {
  box.nics[0].bus = "0000:3b:00.0";
  box.nics[1].bus = "0000:3b:00.1";
  expect("pair.paths-share-card");
  box.nics[1].bus = "0000:5e:00.1";
  EXPECT_TRUE(found().empty());
}

TEST_F(Doctor, NamesWhatStopsForwarding) {
  box.forwarding.ipv4 = 0;
  expect("box.ip-forward");
  box.forwarding.ipv4 = 1;
  lan().ipv6_forwarding = 0;
  expect("box.ipv6-forwarding");
  lan().ipv6_forwarding = 1;
  lan().ipv6_disabled = 1;
  expect("box.ipv6-disabled");
}

TEST_F(Doctor, WeighsTheReversePathFilterAsTheKernelDoes) {
  box.forwarding.rp_filter = 1;
  expect("box.rp-filter");
  lan().rp_filter = 2;
  EXPECT_TRUE(found().empty()) << "the larger of the two counts, and 2 is loose";
}

TEST_F(Doctor, LooksAtArpOnlyWithVirtualMacs) {
  lan().virtual_mac = true;
  expect("box.arp-flux");
  lan().arp_ignore = 1;
  box.forwarding.arp_announce = 2;
  EXPECT_TRUE(found().empty());
}

TEST_F(Doctor, NamesWhatIsWrongWithConnectionTracking) {
  box.conntrack.count = 250'000;
  expect("box.conntrack-full");
  box.conntrack.count = 0;
  box.conntrack.buckets = 65'536;
  expect("box.conntrack-buckets");
  box.conntrack.buckets = 262'144;
  box.conntrack.events = 0;
  expect("box.conntrack-events");
  box.conntrack.events = 1;
  box.conntrack.loose = 1;
  expect("box.conntrack-loose");
  box.conntrack = {};
  expect("box.conntrack-absent");
}

TEST_F(Doctor, NamesWhatTheAgentMayNotDo) {
  box.agent.capabilities = 0;
  expect("box.permissions");
  box.agent.capabilities = 1u << 12 | 1u << 13;
  box.agent.realtime_limit = 0;
  expect("box.realtime");
  box.agent.realtime_limit = 60;
  box.agent.locked_bytes_limit = 65'536;
  expect("box.locked-memory");
}

TEST_F(Doctor, NamesWhatTheDataPlaneLacks) {
  box.hugepages_total = 0;
  expect("box.hugepages");
  config.node.session_sync.hugepages = false;
  EXPECT_TRUE(found().empty());
  box.isolated.clear();
  expect("box.cpu-isolation");
  box.isolated = {2};
  box.pci[0].driver = "ixgbe";
  expect("box.sync-port-driver");
  box.pci[0].exists = false;
  expect("box.sync-port-missing");
}

TEST_F(Doctor, NamesAUnitThatWouldNotStartAgain) {
  box.units[0].enabled = false;
  expect("box.unit-not-enabled");
  box.units[0].active = false;
  expect("box.unit-not-active");
  box.systemd = false;
  EXPECT_TRUE(found().empty()) << "without systemd there are no units";
}

TEST_F(Doctor, NamesAClockThatNobodyKeepsAndAMissingFirewall) {
  box.clock_synchronised = false;
  expect("box.clock");
  box.clock_synchronised.reset();
  box.nf_tables = false;
  expect("box.nf-tables");
}

TEST_F(Doctor, NamesAFirewallThatIsNotThereOrTracksNothing) {
  box.firewall = Firewall{2, true, false};
  box.firewall_unit = "active";
  EXPECT_TRUE(found().empty());
  box.firewall_unit = "failed";
  expect("box.firewall-failed");
  box.firewall_unit.clear();
  box.firewall = Firewall{2, false, false};
  expect("box.nothing-tracked");
  box.firewall = Firewall{0, false, false};
  expect("box.no-ruleset");
  box.firewall = Firewall{0, false, true};
  EXPECT_TRUE(found().empty()) << "iptables of old may filter, and track";
}

TEST_F(Doctor, NamesAConfigurationThatIsGoodAndNotWanted) {
  config.node.heartbeat_interfaces.resize(1);
  expect("pair.one-heartbeat-interface");
  config.node.heartbeat_interfaces.resize(2);
  config.cluster.session_pickup.enabled = false;
  expect("config.sessions-not-kept");
  config.cluster.session_pickup.enabled = true;
  config.node.session_sync.devices.clear();
  expect("config.no-session-sync");
}

TEST(CpuLists, AreReadAsTheKernelWritesThem) {
  EXPECT_EQ(parse_cpu_list("0-2,5"), (std::set<unsigned>{0, 1, 2, 5}));
  EXPECT_TRUE(parse_cpu_list("").empty());
  EXPECT_TRUE(parse_cpu_list("(null)").empty());
  EXPECT_EQ(parse_cpu_list("3,x"), std::set<unsigned>{3});
}

}  // namespace
}  // namespace hotpair::ctl
