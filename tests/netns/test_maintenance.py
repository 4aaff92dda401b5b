#!/usr/bin/python3
"""Maintenance: the role goes first, is taken back only when nobody else is there, and both nodes say so loudly."""

import signal
import unittest

import story
from lab import Lab
from node import AGENT


class Maintenance(unittest.TestCase):
    def test_a_node_that_is_worked_on_carries_the_traffic_only_when_it_must(self):
        with Lab(story.build()) as lab:
            lab.form()
            worked_on, other = lab.primary(), lab.backup()
            code, answer = worked_on.ctl("maintenance", "on")
            self.assertEqual(code, 0, answer)
            self.assertEqual((worked_on.role(), other.role()), ("backup", "primary"))
            for node in lab.nodes:
                lab.wait(f"{node.name} to say so", lambda n=node: f"{worked_on.name} is in MAINTENANCE" in n.ctl("status")[1])
                self.assertIn("pair.maintenance", node.ailments("warning"))
            self.assertEqual(other.ctl("maintenance", "on")[0], 1, "one at a time")

            with self.subTest("a restart does not end it"):
                worked_on.terminate(AGENT)
                worked_on.start(AGENT)
                lab.wait_formed()
                self.assertIn("MAINTENANCE", worked_on.ctl("status")[1])

            with self.subTest("the other node goes, and comes back"):
                other.signal(AGENT, signal.SIGKILL)
                lab.wait("the one in maintenance to take over", lambda: worked_on.role() == "primary")
                other.start(AGENT)
                lab.wait("the role to go back", lambda: lab.formed() and other.role() == "primary")

            with self.subTest("its end moves nothing"):
                self.assertEqual(worked_on.ctl("maintenance", "off")[0], 0)
                self.assertTrue(lab.watch(1, lambda: lab.formed() and other.role() == "primary"))
                self.assertNotIn("MAINTENANCE", worked_on.ctl("status")[1])


if __name__ == "__main__":
    story.main()
