#!/usr/bin/python3
"""A check command begins to fail at the primary: the role moves, and the reason names the slot and what was said."""

import unittest

import story
from lab import Lab

# It runs in the node's own network, so a device there is what makes it fail on one node only.
CHECK = "if ip link show broken >/dev/null 2>&1; then echo engine 3 is down; exit 7; fi; echo all engines run"
MODULES = [{"slot": 4, "kind": "worker", "command": ["/bin/sh", "-c", CHECK],
            "interval": "1s", "timeout": "1s", "rise": 1, "fall": 2}]


def module(node):
    return node.status()["modules"][0]


class CheckCommand(unittest.TestCase):
    def test_a_check_that_begins_to_fail_moves_the_role_and_says_why(self):
        with Lab(story.build(), cluster={"modules": MODULES}) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            lab.wait("both checks to be good", lambda: all(module(node)["state"] == "good" for node in lab.nodes))
            self.assertEqual(module(old)["last_output"], "all engines run")

            old.execute("ip", "link", "add", "broken", "type", "veth", "peer", "name", "broken-peer")
            lab.wait("the other node to take over", lambda: new.role() == "primary" and old.role() == "backup")
            reason = new.status()["node"]["reason"]
            self.assertIn("failed modules", reason)
            self.assertIn("slot 4 (sh): exit status 7: engine 3 is down", reason)
            self.assertEqual(module(old)["state"], "failed")
            shown = old.ctl("status")[1]
            self.assertIn("engine 3 is down", shown)
            self.assertIn("FAILED", shown)

            old.execute("ip", "link", "del", "broken")
            lab.wait("the check to be good again", lambda: module(old)["state"] == "good")
            self.assertTrue(lab.watch(1, lambda: new.role() == "primary"), "who is well again does not take it back")


if __name__ == "__main__":
    story.main()
