// node.yaml: one mistake a row, with the whole message that an operator reads.
#include <gtest/gtest.h>

#include "tests/unit/platform/config_mistake.hpp"

namespace hotpair::config {
namespace {

class NodeMistakeTest : public testing::TestWithParam<Mistake> {};
TEST_P(NodeMistakeTest, is_named_with_its_line_and_what_is_allowed) {
  const std::string cluster =
      kGoodCluster + "redundant_interfaces: [{ interface: lan, addresses: [192.0.2.1/24] }]\n";
  EXPECT_EQ(problems(GetParam().text, cluster), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, NodeMistakeTest,
    testing::Values(
        Mistake{"",
                "node.yaml: found nothing, allowed: a YAML file with the keys that the manual "
                "shows; it is empty"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "metrics: { listen: 9184 }\n",
                "node.yaml:3: metrics.listen: found '9184', allowed: an address with a port, e.g. "
                "127.0.0.1:9184 or \"[::1]:9184\", or the path of a Unix socket"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "web: { listen: \"203.0.113.11:8080\" }\n",
                "node.yaml:3: web.token_file: found 'nothing', allowed: a file with a token, as "
                "anybody can try to reach an IP address"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "metrics: { listen: /run/a }\nweb: { listen: /run/a }\n",
                "node.yaml:4: web.listen: found '/run/a', allowed: another address than "
                "metrics.listen"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "management_path: { local: 203.0.113.11 }\n",
                "node.yaml:3: management_path.peer: found nothing, allowed: an IPv4 or IPv6 "
                "address, e.g. 192.0.2.1"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "management_path: { local: 203.0.113.11, peer: 203.0.113.11 }\n",
                "node.yaml:3: management_path.peer: found '203.0.113.11', allowed: the other "
                "node's address; this one is local"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "management_path: { local: 203.0.113.11, peer: \"2001:db8::1\" }\n",
                "node.yaml:3: management_path.peer: found '2001:db8::1', allowed: an IPv4 address, "
                "as local is"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "management_path: { local: \"fe80::1\", peer: \"2001:db8::1\" }\n",
                "node.yaml:3: management_path.local: found 'fe80::1', allowed: one station's "
                "address that needs no device beside it (not link-local, loopback or multicast)"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "management_path: { local: 192.0.2.1, peer: 192.0.2.2 }\n",
                "node.yaml:3: management_path.local: found '192.0.2.1', allowed: an address of "
                "the node's own; this one follows the primary"},
        Mistake{"heartbeat_interfaces: [{ interface: ha0 }]\n",
                "node.yaml:1: chassis_id: found nothing, allowed: a number from 1 to 2"},
        Mistake{"chassis_id: 3\nheartbeat_interfaces: [{ interface: ha0 }]\n",
                "node.yaml:1: chassis_id: found '3', allowed: a number from 1 to 2"},
        Mistake{"chassis_id: 1\n",
                "node.yaml:1: heartbeat_interfaces: found nothing, allowed: a list of 1 to 4 "
                "heartbeat interfaces"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0, vlan: 0 }]\n",
                "node.yaml:2: heartbeat_interfaces[0].vlan: found '0', allowed: a number from 1 to "
                "4094"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0, vlan: 4095 }]\n",
                "node.yaml:2: heartbeat_interfaces[0].vlan: found '4095', allowed: a number from 1 "
                "to 4094"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: 'a/b' }]\n",
                "node.yaml:2: heartbeat_interfaces[0].interface: found 'a/b', allowed: a device "
                "name of 1 to 15 bytes, as 'ip link' shows it"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces:\n- { interface: ha0 }\n"
                "- { interface: ha0, vlan: 999 }\n",
                "node.yaml:4: heartbeat_interfaces[1].interface: found 'ha0 with vlan 999', "
                "allowed: each only once (it stands at heartbeat_interfaces[0].interface, line 3)"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: lan }]\n",
                "node.yaml:2: heartbeat_interfaces[0].interface: found 'lan', allowed: a device "
                "that is not also the data interface lan, or a vlan of its own beside it"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: eth1 }]\n"
                "interfaces: { lan: eth1 }\n",
                "node.yaml:2: heartbeat_interfaces[0].interface: found 'eth1', allowed: a device "
                "that is not also the data interface lan, or a vlan of its own beside it"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "interfaces: { lann: eth1 }\n",
                "node.yaml:3: interfaces.lann: found 'lann', allowed: an interface of "
                "cluster.yaml; did you mean lan?"},
        Mistake{
            "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
            "modules: { 2: { priority: 1 } }\n",
            "node.yaml:3: modules.2: found 'slot 2', allowed: a slot of cluster.yaml's modules"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "session_sync: { devices: [eth1] }\n",
                "node.yaml:3: session_sync.devices[0]: found 'eth1', allowed: a PCI address "
                "(0000:3b:00.1) or a DPDK device; a kernel NIC eth1 is written "
                "\"net_af_packet0,iface=eth1\""},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "session_sync: { conntrack: { max: 12 } }\n",
                "node.yaml:3: session_sync.conntrack.max: found '12', allowed: a number from 1024 "
                "to 268435456"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n"
                "session_sync: { conntrack: { max: 1048576, buckets: 65536 } }\n",
                "node.yaml:3: session_sync.conntrack.buckets: found '65536', allowed: at least "
                "131072, an eighth of session_sync.conntrack.max; one for each session is best"},
        Mistake{"chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\npriority: 010\n",
                "node.yaml:3: priority: found '010', allowed: a number from 0 to 255"},
        Mistake{"chassis_id: '1'\nheartbeat_interfaces: [{ interface: ha0 }]\n",
                "node.yaml:1: chassis_id: found '1', allowed: a number from 1 to 2"},
        Mistake{"[1, 2]\n", "node.yaml:1: found 'a list', allowed: a map of keys and values"}));

}  // namespace
}  // namespace hotpair::config
