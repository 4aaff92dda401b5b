#!/usr/bin/python3
"""An operator's forced state outranks every health, outlives a restart, is shown on both nodes, and replays as it went."""

import os
import subprocess
import unittest

import story
from lab import Lab
from node import AGENT


class ForcedState(unittest.TestCase):
    def test_what_is_forced_stands_until_it_is_taken_back(self):
        with Lab(story.build()) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            code, answer = old.ctl("force", "backup")
            self.assertEqual(code, 0, answer)
            lab.wait("the role to go", lambda: (old.role(), new.role()) == ("backup", "primary"))
            self.assertIn("forced", new.status()["node"]["reason"])
            for node in lab.nodes:
                lab.wait(f"{node.name} to show it", lambda n=node: f"{old.name} is FORCED to backup" in n.ctl("status")[1])

            with self.subTest("it outlives a restart, and every health"):
                old.terminate(AGENT)
                old.start(AGENT)
                lab.wait_formed()
                self.assertIn(f"{old.name} is FORCED to backup", old.ctl("status")[1])
                new.cable("lan", plugged=False)
                lab.wait("the primary to miss its cable", lambda: f"{new.name} has lost lan" in new.ctl("status")[1])
                self.assertTrue(lab.watch(1, lambda: (old.role(), new.role()) == ("backup", "primary")))

            with self.subTest("its end lets the health decide"):
                self.assertEqual(old.ctl("force", "none")[0], 0)
                lab.wait("the role to go to the whole node", lambda: old.role() == "primary")

            with self.subTest("both nodes' recordings lead to the same decisions"):
                for node in lab.nodes:
                    self.assertEqual(node.terminate(AGENT), 0)
                    told = replayed(lab, node)
                    self.assertEqual(told.returncode, 0, told.stdout + told.stderr)


def replayed(lab, node):
    return subprocess.run([lab.program("hotpair-replay"), os.path.join(node.state_dir, "recordings")],
                          capture_output=True, text=True, timeout=60)


if __name__ == "__main__":
    story.main()
