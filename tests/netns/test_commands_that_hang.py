#!/usr/bin/python3
"""Commands of the operator's that hang, a check and a hook, are ended with all their children and told of."""

import unittest

import story
from lab import Lab

CHECK = [{"slot": 4, "kind": "worker", "command": ["/bin/sh", "-c", "echo halfway; sleep 333 & wait"],
          "interval": "300ms", "timeout": "200ms", "rise": 1, "fall": 2}]
HOOKS = {"hooks": {"primary": [["/bin/sh", "-c", "sleep 444"]]}}


class CommandsThatHang(unittest.TestCase):
    def test_both_are_killed_and_named_and_the_pair_runs(self):
        with Lab(story.build(), cluster={"modules": CHECK, "takeover": HOOKS}) as lab:
            lab.form()
            primary = lab.primary()
            lab.wait("the check to count as failed", lambda: primary.status()["modules"][0]["state"] == "failed")
            shown = primary.ctl("status")[1]
            self.assertIn("halfway", shown)
            self.assertIn("FAILED", shown)
            self.assertLessEqual(running(primary, "sleep 333"), 1, "at most the one of this interval")
            lab.wait("the hook to be told of", lambda: any("hook" in w for w in primary.status()["warnings"]))
            lab.wait("the hook to be gone", lambda: running(primary, "sleep 444") == 0)


def running(node, command):
    """How many processes of the node have this command line."""
    return node.run_inside("ps", "ax", "-o", "args").splitlines().count(command)


if __name__ == "__main__":
    story.main()
