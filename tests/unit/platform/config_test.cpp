// Whole files, good and bad; config_mistakes_test.cpp has the mistakes one by one.
#include "platform/config/config.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "platform/base/rng.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::config {
namespace {

using test::TemporaryDirectory;

constexpr const char* kNode = R"(
chassis_id: 1
hostname: fw1
serial: FW-0001
priority: 128
modules: { 1: { priority: 200 } }
heartbeat_interfaces:
  - { interface: ha0, vlan: 999 }
  - { interface: ha1, vlan: 998, ethertype: 0x9891 }
session_sync:
  devices: ["0000:3b:00.1", "net_af_packet0,iface=dps0"]
  lcores: [2]
  hugepages: true
  conntrack: { max: 1048576, buckets: 524288 }
interfaces: { lan: ens3f0, wan: ens3f1 }
)";

constexpr const char* kCluster = R"(
group_id: 7
group_name: edge
password_file: /etc/hotpair/password
heartbeat: { ethertype: 0x9890, interval: 10ms, lost_threshold: 4, hello_holddown: 2s }
election:
  override: false
  uptime_margin: 300s
  link_failure_threshold: 50
  board_failover_tolerance: 1
  hold: 5m
session_pickup: { enabled: true, from: assured, delay: 0s, udp: true, icmp: false, sctp: true,
                  expectations: true, exclude: ["192.0.2.0/24"] }
redundant_interfaces:
  - { interface: lan, addresses: [192.0.2.1/24, "2001:DB8:1::1/64"], virtual_mac: false }
  - { interface: wan, addresses: [198.51.100.1/24] }
monitor:
  remote: [{ address: 198.51.100.254, interface: wan, interval: 200ms, lost: 5, weight: 100 }]
management: { interface: mgmt0, addresses: [203.0.113.5/24], ports: [22, 80, 443, 161] }
modules:
  - { slot: 1, kind: interface, interfaces: [lan, wan], priority: 128 }
  - { slot: 3, kind: worker, unit: nftables.service }
  - { slot: 4, kind: worker, command: [/usr/lib/hotpair/checks/ips],
      interval: 1s, timeout: 500ms, rise: 2, fall: 3 }
logical_systems:
  - { name: tenant-a, vrf: vrf-a, conntrack_zone: 10, interfaces: [lan-a, wan-a] }
config_sync: { paths: [/etc/nftables.conf, /etc/hotpair/cluster.yaml],
               apply: { /etc/nftables.conf: [nft, -f, /etc/nftables.conf] } }
route_sync: { enabled: true, protocols: [bgp, ospf, static], hold: 10s, wait: 0s, ttl: 10s }
takeover: { garp: { count: 5, interval: 200ms },
            hooks: { primary: [[/usr/bin/logger, up]], backup: [], fault: [] } }
)";

constexpr const char* kSmallNode = "chassis_id: 2\nheartbeat_interfaces: [{ interface: ha0 }]\n";
constexpr const char* kSmallCluster = "group_id: 0\n";

std::string problems_of(const Result<Config, ConfigProblems>& result) {
  if (result.ok()) return "no problem";
  std::string text;
  for (const ConfigProblem& problem : result.error()) text += problem.text() + "\n";
  return text;
}

std::uint64_t digest_of(const std::string& cluster) {
  auto config = parse_config(kSmallNode, cluster);
  EXPECT_TRUE(config.ok()) << problems_of(config);
  return config.ok() ? config->cluster.digest : 0;
}

TEST(ConfigTest, every_key_of_the_manual_is_read) {
  const auto config = parse_config(kNode, kCluster);
  ASSERT_TRUE(config.ok()) << problems_of(config);
  const NodeFile& node = config->node;
  EXPECT_EQ(node.chassis_id, 1);
  EXPECT_EQ(node.serial, "FW-0001");
  EXPECT_EQ(node.modules.at(1).priority, 200);
  ASSERT_EQ(node.heartbeat_interfaces.size(), 2u);
  EXPECT_EQ(node.heartbeat_interfaces[1].vlan, 998);
  EXPECT_EQ(node.heartbeat_interfaces[1].ethertype, 0x9891);
  EXPECT_EQ(node.session_sync.devices[1], "net_af_packet0,iface=dps0");
  EXPECT_EQ(node.session_sync.lcores, std::vector<unsigned>{2});
  EXPECT_EQ(node.session_sync.conntrack.max, 1048576u);
  EXPECT_EQ(node.session_sync.conntrack.buckets, 524288u);
  EXPECT_EQ(node.device("lan"), "ens3f0");
  EXPECT_EQ(node.device("mgmt0"), "mgmt0");
  const ClusterFile& cluster = config->cluster;
  EXPECT_EQ(cluster.heartbeat.interval, 10ms);
  EXPECT_EQ(cluster.election.hold, 300s);
  EXPECT_EQ(cluster.session_pickup.from, PickupFrom::assured);
  EXPECT_EQ(cluster.redundant_interfaces[0].addresses[1].text, "2001:db8:1::1/64");
  EXPECT_TRUE(cluster.redundant_interfaces[0].addresses[1].ipv6);
  EXPECT_EQ(cluster.redundant_interfaces[1].addresses[0].address[0], 198);
  EXPECT_EQ(cluster.redundant_interfaces[1].addresses[0].prefix_length, 24);
  EXPECT_EQ(cluster.monitor.remote[0].lost, 5);
  EXPECT_EQ(cluster.management->ports.size(), 4u);
  EXPECT_EQ(cluster.modules[2].kind, Module::Kind::worker);
  EXPECT_EQ(cluster.modules[2].timeout, 500ms);
  EXPECT_EQ(cluster.logical_systems[0].conntrack_zone, 10);
  EXPECT_EQ(cluster.config_sync.apply.at("/etc/nftables.conf")[0], "nft");
  EXPECT_EQ(cluster.route_sync.protocols.size(), 3u);
  EXPECT_EQ(cluster.takeover.garp_count, 5);
  EXPECT_EQ(cluster.takeover.hooks_primary[0][1], "up");
}

TEST(ConfigTest, the_least_that_is_needed_gets_the_documented_defaults) {
  const auto config = parse_config(kSmallNode, kSmallCluster);
  ASSERT_TRUE(config.ok()) << problems_of(config);
  EXPECT_EQ(config->node.priority, 128);
  EXPECT_EQ(config->node.heartbeat_interfaces[0].vlan, 999);
  EXPECT_FALSE(config->node.hostname.empty());
  EXPECT_FALSE(config->node.serial.empty());
  EXPECT_EQ(config->cluster.heartbeat.ethertype, 0x9890);
  EXPECT_EQ(config->cluster.heartbeat.hello_holddown, 2s);
  EXPECT_EQ(config->cluster.password_file, "/etc/hotpair/password");
  EXPECT_FALSE(config->cluster.session_pickup.enabled);
  EXPECT_FALSE(config->cluster.management.has_value());
}

TEST(ConfigTest, what_is_monitored_follows_the_data_interfaces_unless_it_is_said) {
  auto config = parse_config(kNode, kCluster);
  EXPECT_EQ(config->cluster.monitor.interfaces,
            (std::vector<std::string>{"lan", "wan", "lan-a", "wan-a"}));
  EXPECT_FALSE(config->cluster.monitor.lags_given);
  config = parse_config(kSmallNode, "group_id: 1\nmonitor: { interfaces: [x], lags: [] }\n");
  EXPECT_EQ(config->cluster.monitor.interfaces, std::vector<std::string>{"x"});
  EXPECT_TRUE(config->cluster.monitor.lags_given);
}

TEST(ConfigDigestTest, comments_order_and_spelling_do_not_alter_it) {
  const std::uint64_t plain = digest_of(
      "group_id: 7\nheartbeat: { interval: 10ms, ethertype: 0x9890 }\n"
      "redundant_interfaces:\n"
      "  - { interface: lan, addresses: [192.0.2.1/24, '2001:db8::1/64'] }\n"
      "  - { interface: wan, addresses: [198.51.100.1/24] }\n");
  const std::uint64_t rewritten = digest_of(
      "# the same\nredundant_interfaces:\n"
      "- { addresses: [198.51.100.1/24], interface: wan, virtual_mac: false }\n"
      "- interface: \"lan\"\n  addresses: ['2001:0DB8::1/64', 192.0.2.1/24]\n"
      "monitor: { interfaces: [wan, lan] }\n"
      "heartbeat:\n  ethertype: 39056\n  interval: 0.01s\n  lost_threshold: 4\n"
      "group_id: 7\n");
  EXPECT_EQ(plain, rewritten);
}

TEST(ConfigDigestTest, every_change_of_meaning_alters_it) {
  std::set<std::uint64_t> digests = {digest_of("group_id: 7\n")};
  const std::vector<std::string> changes = {
      "group_name: x\n",
      "password_file: /etc/other\n",
      "heartbeat: { interval: 11ms }\n",
      "heartbeat: { ethertype: 0x9891 }\n",
      "election: { override: true }\n",
      "election: { hold: 1s }\n",
      "election: { split_brain: stay }\n",
      "election: { split_brain: witness, witness: 192.0.2.7 }\n",
      "election: { split_brain: witness, witness: 192.0.2.8 }\n",
      "election: { sync_timeout: 30s }\n",
      "election: { flap_backoff: 2s }\n",
      "election: { flap_backoff_max: 30s }\n",
      "session_pickup: { enabled: true }\n",
      "session_pickup: { exclude: [192.0.2.0/24] }\n",
      "redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/24] }]\n",
      "redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/25] }]\n",
      "redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/24], virtual_mac: true }]\n",
      "monitor: { lags: [] }\n",
      "management: { interface: mgmt0 }\n",
      "modules: [{ slot: 1, kind: worker, unit: a.service }]\n",
      "modules: [{ slot: 2, kind: worker, unit: a.service }]\n",
      "logical_systems: [{ name: a, interfaces: [x] }]\n",
      "logical_systems: [{ name: a, interfaces: [x], conntrack_zone: 1 }]\n",
      "config_sync: { paths: [/etc/a] }\n",
      "config_sync: { nft_ruleset: true }\n",
      "config_sync: { nft_sets: [a] }\n",
      "config_sync: { nft_sets: [inet f a] }\n",
      "route_sync: { ttl: 11s }\n",
      "takeover: { garp: { count: 6 } }\n",
      "takeover: { hooks: { primary: [[a, b]] } }\n",
      "takeover: { hooks: { primary: [[b, a]] } }\n",
      "takeover: { hooks: { backup: [[a, b]] } }\n",
  };
  for (const std::string& change : changes)
    EXPECT_TRUE(digests.insert(digest_of("group_id: 7\n" + change)).second) << change;
}

TEST(ConfigLoadTest, files_are_read_from_the_directory_and_named_in_the_problems) {
  const TemporaryDirectory directory;
  directory.write("node.yaml", kSmallNode);
  EXPECT_EQ(problems_of(load_config(directory.path())),
            directory.file("cluster.yaml") + ": found '" + directory.file("cluster.yaml") +
                " does not exist; create it, see 'ls -l'', allowed: a readable file\n");
  directory.write("cluster.yaml", kSmallCluster);
  EXPECT_TRUE(load_config(directory.path()).ok());
}

TEST(ConfigLoadTest, both_files_missing_are_two_problems) {
  const auto config = load_config("/nonexistent");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().size(), 2u);
}

TEST(ConfigFuzzTest, files_with_random_damage_are_problems_and_never_a_crash) {
  Rng rng(3);
  for (int round = 0; round < 400; ++round) {
    std::string node = kNode, cluster = kCluster;
    for (std::string* text : {&node, &cluster})
      for (std::uint64_t i = rng.below(8); i > 0; --i) {
        const std::size_t at = rng.below(text->size());
        switch (rng.below(4)) {
          case 0:
            (*text)[at] = static_cast<char>(rng.next());
            break;
          case 1:
            text->erase(at, rng.below(30));
            break;
          case 2:
            text->insert(at, 1, "[]{}:,'\"\n#&*!|>-"[rng.below(17)]);
            break;
          default:
            text->insert(at, text->substr(rng.below(text->size()), rng.below(40)));
        }
      }
    (void)parse_config(node, cluster).ok();
  }
}

class PasswordTest : public testing::Test {
 protected:
  PasswordTest() { unsetenv("CREDENTIALS_DIRECTORY"); }
  ~PasswordTest() override { unsetenv("CREDENTIALS_DIRECTORY"); }
  Result<Passwords> load(const std::string& content, int mode = 0600) {
    cluster_.password_file = directory_.write("password", content, mode);
    return load_passwords(cluster_);
  }
  std::string error(const std::string& content, int mode = 0600) {
    auto loaded = load(content, mode);
    return loaded.ok() ? "no error" : loaded.error().message;
  }
  TemporaryDirectory directory_;
  ClusterFile cluster_;
};

TEST_F(PasswordTest, one_line_is_the_password_and_a_second_the_next_one) {
  EXPECT_EQ(load("secret\n")->current, "secret");
  EXPECT_EQ(load("secret")->next, std::nullopt);
  EXPECT_EQ(load("old\r\nnew\r\n")->next, "new");
  EXPECT_EQ(load(" with spaces \n")->current, " with spaces ");
}

TEST_F(PasswordTest, what_cannot_be_a_password_is_refused_with_the_remedy) {
  const std::string path = directory_.file("password");
  EXPECT_EQ(error(""), "the first line of " + path +
                           " is empty; write a password there, e.g. by 'openssl rand -hex 32'");
  EXPECT_EQ(error("\nsecond\n").find("the first line of " + path + " is empty"), 0u);
  EXPECT_EQ(error(std::string(257, 'x')).find("the first line of " + path + " is longer than 256"),
            0u);
  EXPECT_EQ(error("a\nb\nc\n"), path +
                                    " has 3 lines; it holds the password and, during a "
                                    "rotation, the next one");
  EXPECT_EQ(error(std::string("a\0b", 3)).find("the first line of " + path + " has control"), 0u);
  EXPECT_TRUE(load(std::string(256, 'x')).ok());
}

TEST_F(PasswordTest, a_file_that_others_can_read_is_refused) {
  EXPECT_EQ(error("secret\n", 0644),
            "everybody may read the password in " + directory_.file("password") +
                "; mend it with 'chmod 0600 " + directory_.file("password") + "'");
  EXPECT_TRUE(load("secret\n", 0640).ok());
}

TEST_F(PasswordTest, the_systemd_credential_goes_first) {
  const TemporaryDirectory credentials;
  ASSERT_TRUE(load("from file\n").ok());
  credentials.write("password", "from systemd\n", 0400);
  setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);
  EXPECT_EQ(load_passwords(cluster_)->current, "from systemd");
  std::filesystem::remove(credentials.file("password"));
  EXPECT_EQ(load_passwords(cluster_)->current, "from file");
}

TEST_F(PasswordTest, a_file_that_was_changed_after_systemd_copied_it_goes_before_the_copy) {
  const TemporaryDirectory credentials;
  credentials.write("password", "from systemd\n", 0400);
  setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);
  const auto later = [&] {  // the clock of the file system moves in ticks
    return load("from systemd\nnext\n")->next.has_value();
  };
  for (int i = 0; i < 1'000'000 && !later(); ++i) continue;
  EXPECT_EQ(load_passwords(cluster_)->next, "next");
}

}  // namespace
}  // namespace hotpair::config
