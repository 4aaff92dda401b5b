#!/usr/bin/python3
"""Heartbeat cables are pulled while both nodes live: whatever evidence is left, there is never a second primary."""

import json
import unittest

import story
from lab import Lab
from traffic import Traffic


class HeartbeatCables(unittest.TestCase):
    def test_without_one_only_the_status_changes_and_without_both_the_session_sync_port_speaks_for_the_peer(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            epoch = primary.status()["epoch"]
            with Traffic(lab, tcp=20) as traffic:
                traffic.mark("heartbeat cables")

                primary.cable("ha0", plugged=False)
                lab.wait("both to see a dead path", lambda: all(paths(n)["ha0"] == (False, False) for n in lab.nodes))
                for node in lab.nodes:
                    self.assertTrue(paths(node)["ha1"][0], node.status())
                self.assertTrue(lab.watch(1, lambda: backup.role() == "backup"))

                primary.cable("ha1", plugged=False)
                lab.wait("both to see two dead paths", lambda: not any(paths(n)["ha1"][0] for n in lab.nodes))
                self.assertTrue(lab.watch(2, lambda: backup.role() == "backup"), "the peer is alive: it was heard")
                self.assertIn("is backup, in sync", primary.ctl("status")[1].splitlines()[0])

                for device in ("ha0", "ha1"):
                    primary.cable(device, plugged=True)
                lab.wait("all paths to live again", lambda: all(
                    alive for node in lab.nodes for alive, _ in paths(node).values()))
                self.assertEqual((lab.primary(), primary.status()["epoch"]), (primary, epoch))
                report = traffic.report()
                self.assertEqual((report.lost, report.all_alive), (0, True), report)

    def test_interfaces_that_no_boot_script_brought_up_are_brought_up_and_one_taken_down_later_stays_down(self):
        with Lab(story.build()) as lab:
            node = lab.nodes[0]
            for device in ("ha0", "ha1"):
                node.run_inside("ip", "link", "set", device, "down")
            # The second one cannot be brought up before what it stands on is.
            node.run_inside("ip", "link", "set", "ha1", "name", "below")
            node.run_inside("ip", "link", "add", "link", "below", "name", "ha1", "type", "macvlan", "mode", "passthru")
            lab.form()
            self.assertTrue(paths(node)["ha0"][0], node.status())
            node.run_inside("ip", "link", "set", "below", "up")
            lab.wait("the other path to live too", lambda: paths(node)["ha1"][0])

            node.run_inside("ip", "link", "set", "ha0", "down")
            lab.wait("the path to be dead", lambda: not paths(node)["ha0"][0])
            # Longer than it takes to try the device again.
            self.assertTrue(lab.watch(1.5, lambda: "UP" not in flags(node, "ha0")), "the operator's word was undone")
            node.run_inside("ip", "link", "set", "ha0", "up")
            lab.wait("the path to live again", lambda: paths(node)["ha0"][0])


def flags(node, device):
    """{"BROADCAST", "UP", ...}"""
    return set(json.loads(node.run_inside("ip", "-j", "link", "show", device))[0]["flags"])


def paths(node):
    """{"ha0": (alive, best), ...}"""
    return {path["interface"]: (path["alive"], path["best"]) for path in node.status()["heartbeat_paths"]}


if __name__ == "__main__":
    story.main()
