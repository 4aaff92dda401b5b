#!/usr/bin/python3
"""The kernel, or somebody, kills a warden of the primary: hotpaird starts another, and nothing else happens. At no time
does a primary whose agent dies keep its addresses."""

import signal
import unittest

import story
from lab import Lab
from node import AGENT
from traffic import Traffic


class WardenKilled(unittest.TestCase):
    def test_another_is_started_and_nothing_moves(self):
        with Lab(story.build()) as lab:
            lab.form()
            node = lab.primary()
            before, heard = node.status(), self._lost(lab.other(node))
            first = before["wardens"]["pids"]
            self.assertEqual(len(first), 2)
            with Traffic(lab) as traffic:
                traffic.mark("wardens killed")
                for count, pids in enumerate(([first[0]], [first[1]]), 1):
                    self._kill(node, pids)
                    self._wait_replaced(lab, node, count)
                self._kill(node, node.status()["wardens"]["pids"])  # both at once
                self._wait_replaced(lab, node, 4)
                report = traffic.report()
            after = node.status()
            self.assertFalse(set(first) & set(after["wardens"]["pids"]), "one that was killed is named")
            self.assertEqual((after["role"], after["epoch"]), ("primary", before["epoch"]))
            self.assertEqual(after["warnings"], before["warnings"], "the warning must end with its cause")
            self.assertEqual(self._lost(lab.other(node)), heard, "heartbeats were lost")
            self.assertTrue(report.all_alive and report.lost == 0, report)
            for event in ("warden-dead", "warden-replaced"):
                self.assertEqual(node.log(AGENT).count(event), 4, event)

            # Those that were started later do what the first ones are there for.
            self._agent_dies(lab, node)

    def test_an_agent_that_dies_with_one_of_its_wardens(self):
        with Lab(story.build()) as lab:
            lab.form()
            node = lab.primary()
            self._kill(node, node.status()["wardens"]["pids"][:1])
            self._agent_dies(lab, node)

    def _agent_dies(self, lab, node):
        self.assertIn("lan", node.addresses())
        node.signal(AGENT, signal.SIGKILL)
        lab.wait("the addresses to leave the dead node", lambda: "lan" not in node.addresses(), timeout=2)
        lab.wait("the peer to take over", lambda: lab.other(node).role() == "primary")

    @staticmethod
    def _kill(node, pids):
        """At the same moment; they are numbered in the node's own process namespace."""
        node.run_inside("kill", "-KILL", *map(str, pids))

    @staticmethod
    def _wait_replaced(lab, node, count):
        lab.wait(f"{count} to be replaced", lambda: (wardens := node.status()["wardens"])["replaced"] == count
                 and len(wardens["pids"]) == 2, timeout=5)

    @staticmethod
    def _lost(node):
        return [path["lost"] for path in node.status()["heartbeat_paths"]]


if __name__ == "__main__":
    story.main()
