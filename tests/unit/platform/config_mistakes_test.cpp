// cluster.yaml, and both files together: one mistake a row, with the whole message that an operator
// reads.
#include <gtest/gtest.h>

#include "tests/unit/platform/config_mistake.hpp"

namespace hotpair::config {
namespace {

class ClusterMistakeTest : public testing::TestWithParam<Mistake> {};
TEST_P(ClusterMistakeTest, is_named_with_its_line_and_what_is_allowed) {
  EXPECT_EQ(problems(kGoodNode, kGoodCluster + GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Values, ClusterMistakeTest,
    testing::Values(
        Mistake{"heartbeat: { interval: 10 apples }\n",
                "cluster.yaml:2: heartbeat.interval: found '10 apples', allowed: a duration from "
                "1ms to 10s, e.g. 10ms"},
        Mistake{"heartbeat: { interval: 10 }\n",
                "cluster.yaml:2: heartbeat.interval: found '10', allowed: a duration from 1ms to "
                "10s, e.g. 10ms"},
        Mistake{"heartbeat:\n  interval: 100us\n",
                "cluster.yaml:3: heartbeat.interval: found '100us', allowed: a duration from 1ms "
                "to 10s, e.g. 10ms"},
        Mistake{"heartbeat: { interval: -1s }\n",
                "cluster.yaml:2: heartbeat.interval: found '-1s', allowed: a duration from 1ms to "
                "10s, e.g. 10ms"},
        Mistake{"heartbeat: { hello_holddown: 99999999999999999999h }\n",
                "cluster.yaml:2: heartbeat.hello_holddown: found '99999999999999999999h', allowed: "
                "a duration from 0s to 300s, e.g. 10ms"},
        Mistake{"heartbeat: { lost_threshold: 1 }\n",
                "cluster.yaml:2: heartbeat.lost_threshold: found '1', allowed: a number from 2 to "
                "60"},
        Mistake{"heartbeat: { ethertype: 0x0800 }\n",
                "cluster.yaml:2: heartbeat.ethertype: found '0x0800', allowed: an ethertype that "
                "no other protocol uses, e.g. 0x9890"},
        Mistake{"heartbeat: { ethertype: 1500 }\n",
                "cluster.yaml:2: heartbeat.ethertype: found '1500', allowed: an ethertype from "
                "0x0600 to 0xffff, e.g. 0x9890"},
        Mistake{"events: { snmp_trap: { receivers: [-c] } }\n",
                "cluster.yaml:2: events.snmp_trap.receivers[0]: found '-c', allowed: a receiver as "
                "snmptrap takes it, e.g. 192.0.2.9 or udp6:[2001:db8::9]:162"},
        Mistake{"heartbeat: fast\n",
                "cluster.yaml:2: heartbeat: found 'fast', allowed: a map of keys and values"},
        Mistake{"election: { override: yes }\n",
                "cluster.yaml:2: election.override: found 'yes', allowed: true or false"},
        Mistake{"election: { link_failure_threshold: 81 }\n",
                "cluster.yaml:2: election.link_failure_threshold: found '81', allowed: a number "
                "from 0 to 80"},
        Mistake{"election: { uptime_margin: }\n",
                "cluster.yaml:2: election.uptime_margin: found 'nothing', allowed: a duration from "
                "0s to 65535s, e.g. 10ms"},
        Mistake{"session_pickup: { from: old }\n",
                "cluster.yaml:2: session_pickup.from: found 'old', allowed: new or assured"},
        Mistake{"session_pickup: { exclude: [192.0.2.1/24] }\n",
                "cluster.yaml:2: session_pickup.exclude[0]: found '192.0.2.1/24', allowed: the "
                "network itself: 192.0.2.0/24"},
        Mistake{"group_name: \"\\e[31m\"\n",
                "cluster.yaml:2: group_name: found '?[31m', allowed: text of 0 to 32 printable "
                "bytes without spaces at its ends"},
        Mistake{"password_file: ../password\n",
                "cluster.yaml:2: password_file: found '../password', allowed: an absolute path "
                "without '.' and '..'"},
        Mistake{"takeover: { hooks: { primary: [notify] } }\n",
                "cluster.yaml:2: takeover.hooks.primary[0]: found 'notify', allowed: a program and "
                "its arguments as a list, e.g. [nft, -f, rules.nft]"},
        Mistake{"takeover: { garp: { interval: 21s } }\n",
                "cluster.yaml:2: takeover.garp.interval: found '21s', allowed: a duration from "
                "10ms to 20s, e.g. 10ms"},
        Mistake{"takeover: { garp: { count: 0 } }\n",
                "cluster.yaml:2: takeover.garp.count: found '0', allowed: a number from 1 to 60"},
        Mistake{"monitor: { remote: [{ address: fw.example }] }\n",
                "cluster.yaml:2: monitor.remote[0].address: found 'fw.example', allowed: an IPv4 "
                "or IPv6 address, e.g. 192.0.2.1"},
        Mistake{"route_sync: { protocols: [bpg] }\n",
                "cluster.yaml:2: route_sync.protocols[0]: found 'bpg', allowed: a routing protocol "
                "as in /etc/iproute2/rt_protos (bgp, ospf, static, ...) or 3 to 255, but not 172, "
                "which marks what was synchronised"},
        Mistake{"route_sync: { protocols: [172] }\n",
                "cluster.yaml:2: route_sync.protocols[0]: found '172', allowed: a routing protocol "
                "as in /etc/iproute2/rt_protos (bgp, ospf, static, ...) or 3 to 255, but not 172, "
                "which marks what was synchronised"},
        Mistake{"route_sync: { tables: [255] }\n",
                "cluster.yaml:2: route_sync.tables[0]: found '255', allowed: main, default, a "
                "number from 1 (not 255), or the name of a VRF"},
        Mistake{"management: { interface: m, slot: 20 }\n",
                "cluster.yaml:2: management.slot: found '20', allowed: a number from 1 to 19"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, ClusterMistakeTest,
    testing::Values(
        Mistake{"hartbeat: {}\n",
                "cluster.yaml:2: hartbeat: found 'unknown key hartbeat', allowed: heartbeat (of "
                "cluster_network, config_sync, election, events, group_id, group_name, heartbeat, "
                "logical_systems, "
                "management, modules, monitor, password_file, redundant_interfaces, route_sync, "
                "session_pickup, takeover)"},
        Mistake{"heartbeat: { intervall: 10ms }\n",
                "cluster.yaml:2: heartbeat.intervall: found 'unknown key intervall', allowed: "
                "interval (of ethertype, hello_holddown, interval, lost_threshold)"},
        Mistake{"election: { zebra: 1 }\n",
                "cluster.yaml:2: election.zebra: found 'unknown key zebra', allowed: one of "
                "board_failover_tolerance, flap_backoff, flap_backoff_max, hold, "
                "link_failure_threshold, override, split_brain, sync_timeout, uptime_margin, "
                "witness"},
        Mistake{"election: { split_brain: fight }\n",
                "cluster.yaml:2: election.split_brain: found 'fight', allowed: takeover or stay or "
                "witness"},
        Mistake{"election: { split_brain: witness }\n",
                "cluster.yaml:2: election.witness: found nothing, allowed: the address that must "
                "answer before a takeover, as split_brain is witness"},
        Mistake{"election: { witness: 192.0.2.7 }\n",
                "cluster.yaml:2: election.witness: found '192.0.2.7', allowed: only with "
                "split_brain: witness"},
        Mistake{"election: { split_brain: witness, witness: gateway }\n",
                "cluster.yaml:2: election.witness: found 'gateway', allowed: an IPv4 or IPv6 "
                "address, e.g. 192.0.2.1"},
        Mistake{"election: { flap_backoff: 20s, flap_backoff_max: 10s }\n",
                "cluster.yaml:2: election.flap_backoff: found '20s', allowed: a flap_backoff (20s) "
                "that is not above flap_backoff_max (10s)"},
        Mistake{"election: { sync_timeout: 0s }\n",
                "cluster.yaml:2: election.sync_timeout: found '0s', allowed: a duration from 1s to "
                "3600s, e.g. 1s"},
        Mistake{"group_id: 8\n",
                "cluster.yaml:2: group_id: found 'the key a second time', allowed: once (it stands "
                "on line 1)"},
        Mistake{
            "\tgroup_name: x\n",
            "cluster.yaml:2: found 'a tab is used for indentation: use spaces', allowed: a YAML "
            "file as the manual shows"}));

INSTANTIATE_TEST_SUITE_P(
    Addresses, ClusterMistakeTest,
    testing::Values(
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '192.0.2.1', allowed: "
                "an address with its prefix length, e.g. 192.0.2.1/24"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/33] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '192.0.2.1/33', "
                "allowed: an address with its prefix length, e.g. 192.0.2.1/24"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [192.0.2.0/24] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '192.0.2.0/24', "
                "allowed: a host in that network, e.g. 192.0.2.1/24"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [192.0.2.255/24] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '192.0.2.255/24', "
                "allowed: not the broadcast address"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [224.0.0.5/24] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '224.0.0.5/24', "
                "allowed: not a multicast or reserved address"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: ['::1/128'] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses[0]: found '::1/128', allowed: "
                "not a loopback address"},
        Mistake{"redundant_interfaces: [{ interface: lan, addresses: [] }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses: found '0 items', allowed: a "
                "list of 1 to 256 addresses"},
        Mistake{"redundant_interfaces: [{ interface: lan }]\n",
                "cluster.yaml:2: redundant_interfaces[0].addresses: found nothing, allowed: a list "
                "of 1 to 256 addresses"},
        Mistake{"redundant_interfaces:\n  - { interface: lan, addresses: [192.0.2.1/24] }\n"
                "  - { interface: wan, addresses: [192.0.2.1/25] }\n",
                "cluster.yaml:4: redundant_interfaces[1].addresses[0]: found '192.0.2.1/25', "
                "allowed: each only once (it stands at redundant_interfaces[0].addresses[0], line "
                "3)"},
        Mistake{
            "redundant_interfaces:\n  - { interface: lan, addresses: [192.0.2.1/24] }\n"
            "  - { interface: lan, addresses: [192.0.2.2/24] }\n",
            "cluster.yaml:4: redundant_interfaces[1].interface: found 'lan', allowed: each only "
            "once (it stands at redundant_interfaces[0].interface, line 3)"}));

INSTANTIATE_TEST_SUITE_P(
    Relations, ClusterMistakeTest,
    testing::Values(
        Mistake{"modules:\n  - { slot: 1, kind: worker, unit: a.service }\n"
                "  - { slot: 1, kind: worker, unit: b.service }\n",
                "cluster.yaml:4: modules[1].slot: found '1', allowed: each only once (it stands at "
                "modules[0].slot, line 3)"},
        Mistake{
            "redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/24] }]\n"
            "modules: [{ slot: 1, kind: interface, interfaces: [lna] }]\n",
            "cluster.yaml:3: modules[0].interfaces[0]: found 'lna', allowed: an interface named "
            "in redundant_interfaces, monitor, management or logical_systems; did you mean "
            "lan?"},
        Mistake{"modules: [{ slot: 1, kind: interface }]\n",
                "cluster.yaml:2: modules[0].interfaces: found nothing, allowed: a list of 1 to 64 "
                "names of interfaces"},
        Mistake{"modules: [{ slot: 1, kind: worker }]\n",
                "cluster.yaml:2: modules[0]: found nothing, allowed: a worker module has one of "
                "unit and command"},
        Mistake{"modules: [{ slot: 1, kind: worker, unit: a.service, command: [/bin/true] }]\n",
                "cluster.yaml:2: modules[0]: found 'both unit and command', allowed: a worker "
                "module has one of unit and command"},
        Mistake{"modules: [{ slot: 1, kind: worker, unit: a.service, priority: 3 }]\n",
                "cluster.yaml:2: modules[0].priority: found '3', allowed: only in a module of kind "
                "interface"},
        Mistake{"modules: [{ slot: 1, kind: worker, command: [a], timeout: 2s }]\n",
                "cluster.yaml:2: modules[0].timeout: found '2s', allowed: at most the interval, "
                "1s"},
        Mistake{"monitor: { interfaces: [lan, lan] }\n",
                "cluster.yaml:2: monitor.interfaces[1]: found 'lan', allowed: each only once (it "
                "stands at monitor.interfaces[0], line 2)"},
        Mistake{"monitor: { interfaces: [lan], lags: [bond0] }\n",
                "cluster.yaml:2: monitor.lags[0]: found 'bond0', allowed: an interface named in "
                "monitor.interfaces"},
        Mistake{
            "logical_systems: [{ name: a, interfaces: [x], config_paths: [/etc/a.nft] }]\n",
            "cluster.yaml:2: logical_systems[0].config_paths[0]: found '/etc/a.nft', allowed: a "
            "path that stands in config_sync.paths"},
        Mistake{"logical_systems:\n  - { name: a, interfaces: [x], conntrack_zone: 5 }\n"
                "  - { name: b, interfaces: [y], conntrack_zone: 5 }\n",
                "cluster.yaml:4: logical_systems[1].conntrack_zone: found '5', allowed: each only "
                "once (it stands at logical_systems[0].conntrack_zone, line 3)"},
        Mistake{
            "config_sync: { paths: [/etc/hotpair/node.yaml] }\n",
            "cluster.yaml:2: config_sync.paths[0]: found '/etc/hotpair/node.yaml', allowed: any "
            "file but node.yaml, which is each box's own"},
        Mistake{"config_sync: { paths: [/etc/hotpair/password] }\n",
                "cluster.yaml:2: config_sync.paths[0]: found '/etc/hotpair/password', allowed: any "
                "file but the password_file, which never travels"},
        Mistake{"config_sync: { apply: { /etc/a: [x] } }\n",
                "cluster.yaml:2: config_sync.apply./etc/a: found '/etc/a', allowed: a path that "
                "stands in config_sync.paths"},
        Mistake{"config_sync: { check: { /etc/a: [x] } }\n",
                "cluster.yaml:2: config_sync.check./etc/a: found '/etc/a', allowed: a path that "
                "stands in config_sync.paths"},
        Mistake{"config_sync: { backup_changes: keep }\n",
                "cluster.yaml:2: config_sync.backup_changes: found 'keep', allowed: report or "
                "revert"},
        Mistake{"config_sync: { nft_ruleset: always }\n",
                "cluster.yaml:2: config_sync.nft_ruleset: found 'always', allowed: true or false"},
        Mistake{"config_sync: { nft_sets: [a, filter blocklist] }\n",
                "cluster.yaml:2: config_sync.nft_sets[1]: found 'filter blocklist', allowed: the "
                "name of a set or map of nftables, alone or as 'FAMILY TABLE NAME' (ip, ip6, "
                "inet, bridge, arp or netdev)"},
        Mistake{"config_sync: { nft_sets: [a, inet f b, a] }\n",
                "cluster.yaml:2: config_sync.nft_sets[2]: found 'a', allowed: each only once (it "
                "stands at config_sync.nft_sets[0], line 2)"},
        Mistake{"cluster_network: { enabled: false }\nconfig_sync: { nft_sets: [a] }\n",
                "cluster.yaml:3: config_sync.nft_sets: found 'cluster_network.enabled: false', "
                "allowed: the cluster network, over which they travel"},
        Mistake{"cluster_network: { rate_mbps: 0 }\n",
                "cluster.yaml:2: cluster_network.rate_mbps: found '0', allowed: a number from 1 to "
                "10000"},
        Mistake{"route_sync: { enabled: true }\n",
                "cluster.yaml:2: route_sync.protocols: found nothing, allowed: the protocols whose "
                "routes are kept, e.g. [bgp, ospf, static]"},
        Mistake{"management: { interface: m, ports: [22, 656] }\n",
                "cluster.yaml:2: management.ports[1]: found '656', allowed: at most 655: the nodes "
                "are reached at port x 100 + slot and 20 above, and there is no port above 65535"},
        Mistake{
            "management: { interface: m, ports: [22, 22] }\n",
            "cluster.yaml:2: management.ports[1]: found '22', allowed: each only once (it stands "
            "at management.ports[0], line 2)"},
        Mistake{"management: { interface: m, ports: [655], slot: 19 }\n",
                "cluster.yaml:2: management.ports[0]: found '655', allowed: at most 654: the nodes "
                "are reached at port x 100 + slot and 20 above, and there is no port above "
                "65535"}));

TEST(ConfigMistakesTest, all_of_both_files_are_told_at_once) {
  EXPECT_EQ(problems("chassis_id: 9\nheartbeat_interfaces: [{ interface: ha0, vlan: x }]\n",
                     "group_id: 1024\nelection: { hold: soon, overide: true }\n"),
            "node.yaml:1: chassis_id: found '9', allowed: a number from 1 to 2\n"
            "node.yaml:2: heartbeat_interfaces[0].vlan: found 'x', allowed: a number from 1 to "
            "4094\n"
            "cluster.yaml:1: group_id: found '1024', allowed: a number from 0 to 1023\n"
            "cluster.yaml:2: election.hold: found 'soon', allowed: a duration from 0s to 3600s, "
            "e.g. 10ms\n"
            "cluster.yaml:2: election.overide: found 'unknown key overide', allowed: override (of "
            "board_failover_tolerance, flap_backoff, flap_backoff_max, hold, "
            "link_failure_threshold, override, split_brain, sync_timeout, uptime_margin, "
            "witness)");
}

TEST(ConfigMistakesTest, a_flood_of_mistakes_is_cut_off) {
  std::string node = "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n";
  for (int i = 0; i < 5000; ++i) node += "unknown" + std::to_string(i) + ": 1\n";
  const auto config = parse_config(node, kGoodCluster);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().size(), 100u);
}

TEST(ConfigMistakesTest, a_data_interface_may_carry_heartbeats_with_a_vlan_of_its_own) {
  EXPECT_EQ(problems("chassis_id: 1\nheartbeat_interfaces: [{ interface: lan, vlan: 999 }]\n",
                     "group_id: 7\nredundant_interfaces: [{ interface: lan, addresses: "
                     "[192.0.2.1/24] }]\n"),
            "no problem");
}

TEST(ConfigMistakesTest, two_logical_systems_may_use_one_address) {
  EXPECT_EQ(problems(kGoodNode,
                     "group_id: 7\nredundant_interfaces:\n"
                     "- { interface: a, addresses: [10.0.0.1/24] }\n"
                     "- { interface: b, addresses: [10.0.0.1/24] }\n"
                     "logical_systems:\n- { name: x, interfaces: [a] }\n"
                     "- { name: y, interfaces: [b] }\n"),
            "no problem");
}

}  // namespace
}  // namespace hotpair::config
