#!/usr/bin/python3
"""Virtual MACs: the address and the MAC address behind it stay what they were when the role moves."""

import json
import signal
import unittest

import story
from lab import GATEWAYS, Lab
from network import run
from node import AGENT
from traffic import Traffic

CLUSTER = {"redundant_interfaces": [{"interface": interface, "addresses": addresses, "virtual_mac": True}
                                    for interface, addresses in GATEWAYS.items()]}


class VirtualMac(unittest.TestCase):
    def test_neighbours_keep_their_entries_and_connections_live_on_whichever_way_the_role_moves(self):
        with Lab(story.build(), cluster=CLUSTER) as lab:
            lab.form()
            first = lab.primary()
            second = lab.other(first)
            with Traffic(lab, tcp=50) as traffic:
                before = gateways_as_the_client_sees_them(lab)
                self.assertEqual(set(before.values()), {macvlans(first)["hv-lan"]["address"]})
                self.assertEqual((up(first), up(second)), ({"hv-lan", "hv-wan"}, set()))

                traffic.mark("switchover")
                self.assertEqual(first.ctl("failover")[0], 0)
                lab.wait("the role to move", lambda: second.role() == "primary")
                lab.wait("the macvlans to follow", lambda: (up(first), up(second)) == (set(), {"hv-lan", "hv-wan"}))
                lab.wait_formed()
                report = traffic.report()
                print(f"switchover: {report}")
                self.assertTrue(report.all_alive, report)
                self.assertEqual(gateways_as_the_client_sees_them(lab), before)

                traffic.mark("agent killed")
                second.signal(AGENT, signal.SIGKILL)
                lab.wait("the peer to take over", lambda: first.role() == "primary")
                lab.wait("the dead node's macvlans to be silent", lambda: not up(second), timeout=2)
                self.assertEqual(up(first), {"hv-lan", "hv-wan"})
                report = traffic.report()
                print(f"agent killed: {report}")
                self.assertTrue(report.all_alive, report)
                self.assertEqual(gateways_as_the_client_sees_them(lab), before)

                second.start(AGENT)
                lab.wait_formed()
                self.assertEqual((lab.primary(), up(second)), (first, set()))

    def test_a_reload_moves_the_addresses_onto_macvlans_and_back_while_they_are_held(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary = lab.primary()
            held = primary.addresses()["lan"]
            for virtual, device, other in ((True, "hv-lan", "lan"), (False, "lan", "hv-lan")):
                for node in lab.nodes:
                    node.write_config(cluster=CLUSTER if virtual else None)
                    self.assertEqual(node.ctl("reload")[0], 0)
                lab.wait(f"the addresses to stand on {device}", lambda: primary.addresses().get(device) == held)
                self.assertEqual(primary.addresses().get(other), None)
                lab.wait("the status to say so", lambda: all(
                    row["held"] for row in primary.status()["addresses"]))
                self.assertEqual(primary.role(), "primary")
            lab.wait("the macvlans to be gone", lambda: macvlans(primary) == {})

    def test_nothing_is_left_behind_neither_after_an_orderly_end_nor_after_a_crash(self):
        with Lab(story.build(), cluster=CLUSTER) as lab:
            lab.form()
            ended, crashed = lab.primary(), lab.backup()
            for node in lab.nodes:
                self.assertEqual(arp_ignore(node), "1", "the device below must not answer for the macvlan")
            self.assertEqual(ended.terminate(AGENT), 0)
            lab.wait("the other to take over", lambda: crashed.role() == "primary")
            self.assertEqual((macvlans(ended), arp_ignore(ended)), ({}, "0"))

            crashed.signal(AGENT, signal.SIGKILL)
            lab.wait("its macvlans to be silent", lambda: not up(crashed), timeout=2)
            crashed.execute(lab.program(AGENT), "--withdraw", "--config-dir", crashed.config_dir, "--run-dir",
                            crashed.run_dir, "--state-dir", crashed.state_dir)
            self.assertEqual((macvlans(crashed), arp_ignore(crashed)), ({}, "0"))


def macvlans(node):
    links = json.loads(run("ip", "-n", node.netns, "-j", "link", "show", "type", "macvlan") or "[]")
    return {link["ifname"]: link for link in links if link}


def up(node):
    return {name for name, link in macvlans(node).items() if "UP" in link["flags"]}


def arp_ignore(node):
    return node.execute("sysctl", "-n", "net.ipv4.conf.lan.arp_ignore").strip()


def gateways_as_the_client_sees_them(lab):
    entries = json.loads(run("ip", "-n", lab.prefix + "client", "-j", "neigh", "show", "dev", "lan"))
    gateways = {address.split("/")[0] for address in GATEWAYS["lan"]}
    return {entry["dst"]: entry.get("lladdr") for entry in entries if entry["dst"] in gateways}


if __name__ == "__main__":
    story.main()
