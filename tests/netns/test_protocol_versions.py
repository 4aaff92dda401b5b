#!/usr/bin/python3
"""An upgrade between versions: two nodes speak the highest version of the protocol that both know. Where there is none,
one stays primary and the other its backup; that is named, and nothing is moved by choice."""

import unittest

import story
from lab import Lab
from node import AGENT


class ProtocolVersions(unittest.TestCase):
    def test_a_pair_of_two_versions(self):
        with Lab(story.build(), fw2={"options": {AGENT: ["--protocol", "1", "2"]}}) as lab:
            lab.form()
            for node in lab.nodes:
                self.assertEqual(node.status()["protocol"]["agreed"], 1)
                self.assertIn("protocol: 1 of", node.ctl("status")[1])

            self._restart(lab, lab.fw2, "2", "2")
            lab.wait("it to be named on both", lambda: all(self._alarmed(node) for node in lab.nodes))
            lab.wait("one primary and one backup", lambda: [node.role() for node in lab.nodes] == ["primary", "backup"])
            self.assertTrue(lab.watch(1, lab.never_two_primaries))
            for node in lab.nodes:
                self.assertIn("pair.protocol-differs", node.ailments("problem"))
                self.assertFalse(node.status()["in_sync"])
                refused, why = node.ctl("failover")
                self.assertEqual(refused, 1, why)
                self.assertIn("no version of the protocol in common", why)

            self._restart(lab, lab.fw2, "1", "2")
            lab.wait_formed()
            self.assertFalse(any(self._alarmed(node) for node in lab.nodes))

    @staticmethod
    def _restart(lab, node, lowest, highest):
        node.terminate(AGENT)
        node.settings["options"] = {AGENT: ["--protocol", lowest, highest]}
        node.start(AGENT)

    @staticmethod
    def _alarmed(node):
        status = node.status()
        return status and "protocol-differs" in {alarm["kind"] for alarm in status["alarms"]}


if __name__ == "__main__":
    story.main()
