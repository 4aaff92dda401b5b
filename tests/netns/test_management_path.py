#!/usr/bin/python3
"""Every cable between the nodes is pulled but the management network's: it alone speaks for the peer."""

import unittest

import story
from lab import Lab
from traffic import Traffic

OWN = {1: "203.0.113.11", 2: "203.0.113.12"}
CABLES = ("ha0", "ha1", "dps0")

SHOUT = f"""
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
    channel.bind(("203.0.113.99", 0))
    for _ in range(3):
        channel.sendto(b"hello", ("{OWN[2]}", 9890))
"""


class ManagementPath(unittest.TestCase):
    def test_while_it_is_heard_there_is_no_takeover_and_without_it_the_cut_is_whole(self):
        with Lab(story.build()) as lab:
            form(lab)
            primary, backup = lab.primary(), lab.backup()
            epoch = primary.status()["epoch"]
            lab.wait("the management path to live", lambda: all(path_alive(node) for node in lab.nodes))
            with Traffic(lab, tcp=20) as traffic:
                traffic.mark("all cables but one")
                for device in CABLES:
                    primary.cable(device, plugged=False)
                lab.wait("the other paths to be dead", lambda: all(only_management(node) for node in lab.nodes))
                self.assertTrue(lab.watch(3, lambda: backup.role() == "backup"), "the peer is alive: it was heard")
                self.assertEqual((lab.primary(), primary.status()["epoch"]), (primary, epoch))
                report = traffic.report()
                self.assertEqual((report.lost, report.all_alive), (0, True), report)

            primary.cable("mgmt0", plugged=False)
            lab.wait("the backup, which hears nothing at all, to take over", lambda: backup.role() == "primary")
            primary.cable("ha0", plugged=True)
            lab.wait("one of the two to step down",
                     lambda: sorted([primary.role(), backup.role()]) == ["backup", "primary"])

    def test_who_is_not_the_peer_is_not_heard(self):
        with Lab(story.build()) as lab:
            form(lab)
            lab.fw1.execute("ip", "address", "add", "203.0.113.99/24", "dev", "mgmt0")
            lab.fw1.execute("/usr/bin/python3", "-c", SHOUT)
            lab.wait("the strangers' datagrams to be counted", lambda: path(lab.fw2)["foreign"] >= 3)
            self.assertTrue(path_alive(lab.fw2))


def form(lab):
    for node in lab.nodes:
        own, peer = OWN[node.chassis], OWN[3 - node.chassis]
        node.execute("ip", "address", "add", f"{own}/24", "dev", "mgmt0")
        node.write_config(node={"management_path": {"local": own, "peer": peer}})
        node.start_daemons()
    lab.wait_formed()


def path(node):
    return next(p for p in node.status()["heartbeat_paths"] if p["kind"] == "management")


def path_alive(node):
    return path(node)["alive"]


def only_management(node):
    return [p["kind"] for p in node.status()["heartbeat_paths"] if p["alive"]] == ["management"]


if __name__ == "__main__":
    story.main()
