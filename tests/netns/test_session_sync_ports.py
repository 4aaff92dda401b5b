#!/usr/bin/python3
"""Two session-sync ports: sessions go over the first while it reaches the peer, over the other when it does not,
whether a cable is pulled or the wire dies further off, and back. Nobody but the port's line in the status changes."""

import unittest

import story
from lab import Lab
from network import ip_batch
from node import DATAPLANE
from traffic import Traffic

FIRST, SECOND = "net_af_packet0,iface=dps0", "net_af_packet1,iface=dps1"
SYNC = {"node": {"session_sync": {"devices": [FIRST, SECOND], "hugepages": False}}}


class SessionSyncPorts(unittest.TestCase):
    def test_sessions_go_on_over_the_other_port_and_come_back(self):
        with Lab(story.build(), fw1=SYNC, fw2=SYNC) as lab:
            add_second_cable(lab)
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            lab.wait("both ports to be proven", lambda: proven(primary) == {FIRST, SECOND})
            self.assertEqual(chosen(primary), FIRST)
            epoch = primary.status()["epoch"]
            with Traffic(lab, tcp=50) as traffic:
                primary.cable("dps0", plugged=False)
                lab.wait("both to use the second port", lambda: both(lab, SECOND), timeout=5)
                lab.wait("the tables to be equal over it", lab.formed)
                self.assertIn(f"{SECOND}", primary.ctl("status")[1])

                primary.cable("dps0", plugged=True)
                lab.wait("both to be back on the first", lambda: both(lab, FIRST), timeout=10)

                # No end sees its carrier go: only the hellos are missing.
                lab.switch.send(lab.switch.bridge_port(f"{backup.name}-dps0", 0))
                lab.wait("both to use the second port", lambda: both(lab, SECOND), timeout=5)
                lab.wait("the tables to be equal over it", lab.formed)
                self.assertTrue(all(port["up"] for node in lab.nodes for port in ports(node)))
                self.assertEqual((lab.primary(), primary.status()["epoch"]), (primary, epoch))

                traffic.mark("power loss")
                primary.power_off()
                lab.wait("the backup to take over", lambda: backup.role() == "primary")
                report = traffic.report()
                self.assertTrue(report.all_alive, report)

    def test_a_port_that_is_made_anew_is_used_again_without_a_restart(self):
        with Lab(story.build(), fw1=SYNC, fw2=SYNC) as lab:
            add_second_cable(lab)
            lab.form()
            primary = lab.primary()
            lab.wait("both ports to be proven", lambda: proven(primary) == {FIRST, SECOND})
            pid = primary.pid(DATAPLANE)
            primary.run_inside("ip", "link", "del", "dps0")
            lab.wait("the second port to be used", lambda: both(lab, SECOND), timeout=5)
            lab.wait("the tables to be equal over it", lab.formed)
            lab.plug(primary.netns, primary.name, {"dps0": "sync"})
            lab.wait("the first port to be used again", lambda: both(lab, FIRST), timeout=40)
            self.assertEqual(primary.pid(DATAPLANE), pid)
            self.assertTrue(primary.alive(DATAPLANE))

    def test_one_port_that_is_there_is_enough_to_start_and_the_other_is_taken_once_it_comes(self):
        with Lab(story.build(), fw1=SYNC, fw2=SYNC) as lab:
            lab.form()  # there is no dps1
            self.assertTrue(all([p["open"] for p in ports(node)] == [True, False] for node in lab.nodes))
            add_second_cable(lab)
            lab.wait("the second to be opened and proven", lambda: all(
                proven(node) == {FIRST, SECOND} for node in lab.nodes), timeout=40)
            self.assertTrue(both(lab, FIRST))

    def test_jumbo_frames_are_used_where_both_ends_and_the_way_between_take_them(self):
        with Lab(story.build()) as lab:
            # Two switches and a trunk between them.
            switch = lab.prefix + "sw"
            ip_batch(["link add sync-b type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                      "link add trunk-a mtu 9000 type veth peer name trunk-b", "link set trunk-b mtu 9000",
                      "link set trunk-a master sync up", "link set trunk-b master sync-b up",
                      "link set fw2-dps0 master sync-b", "link set sync-b up",
                      "link set fw1-dps0 mtu 9000", "link set fw2-dps0 mtu 9000"], netns=switch)
            for node in lab.nodes:
                node.run_inside("ip", "link", "set", "dps0", "mtu", "9000")
            lab.await_ports(["trunk-a", "trunk-b", "fw2-dps0"])
            lab.form()
            lab.wait("frames of 9014 bytes", lambda: all(frame_bytes(n) == 9014 for n in lab.nodes))
            # The trunk takes no more than ordinary frames now, and tells nobody.
            ip_batch(["link set trunk-a mtu 1500", "link set trunk-b mtu 1500"], netns=switch)
            lab.wait("ordinary frames again", lambda: all(frame_bytes(n) == 1514 for n in lab.nodes))
            lab.wait_formed()

    def test_a_frame_too_long_for_the_interface_does_not_stop_the_port_for_good(self):
        with Lab(story.build()) as lab:
            for end in [f"{node.name}-dps0" for node in lab.nodes]:
                ip_batch([f"link set {end} mtu 9000"], netns=lab.prefix + "sw")
            for node in lab.nodes:
                node.run_inside("ip", "link", "set", "dps0", "mtu", "9000")
            lab.form()
            lab.wait("frames of 9014 bytes", lambda: all(frame_bytes(n) == 9014 for n in lab.nodes))
            node = lab.primary()
            # The far end of the cable refuses what the near end takes: such a frame blocks those behind it.
            ip_batch([f"link set {node.name}-dps0 mtu 1500"], netns=lab.prefix + "sw")
            lab.wait("it to be noticed", lambda: not lab.formed(), timeout=30)
            lab.wait("the port to be opened again", lambda: counter(node, "ports_opened") > 0, timeout=60)
            lab.wait_formed()
            self.assertEqual(frame_bytes(node), 1514)


def add_second_cable(lab):
    ip_batch(["link add sync2 type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "link set sync2 up"],
             netns=lab.prefix + "sw")
    for node in lab.nodes:
        lab.plug(node.netns, node.name, {"dps1": "sync2"})
        node.run_inside("ip", "link", "set", "dps1", "up")
    lab.await_ports([f"{node.name}-dps1" for node in lab.nodes])


def ports(node):
    status = node.ask("status", daemon=DATAPLANE)
    return status["ports"] if status else []


def frame_bytes(node):
    return next((port["frame_bytes"] for port in ports(node)), 0)


def counter(node, name):
    return node.ask("status", daemon=DATAPLANE)["counters"][name]


def chosen(node):
    return next((port["device"] for port in ports(node) if port["chosen"]), None)


def proven(node):
    return {port["device"] for port in ports(node) if port["proven"]}


def both(lab, device):
    return all(chosen(node) == device for node in lab.nodes)


if __name__ == "__main__":
    story.main()
