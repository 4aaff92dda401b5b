#!/usr/bin/python3
"""What is rehearsed is what then happens: a pulled cable, a dead node, a planned switchover."""

import json
import unittest

import story
from lab import Lab


class WhatIf(unittest.TestCase):
    def test_the_rehearsal_tells_what_then_happens_and_changes_nothing(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            epoch = primary.status()["epoch"]

            for node in lab.nodes:
                self._rehearse(node, backup, "--node", primary.chassis, "--link", "wan=down")
                self._rehearse(node, backup, "--node", primary.chassis, "--power", "off")
                self._rehearse(node, primary, "--node", backup.chassis, "--link", "wan=down")
                self._rehearse(node, backup, "--node", backup.chassis, "--forced", "primary")
                code, text = node.ctl("failover", "--dry-run")
                self.assertEqual(code, 0, text)
            self.assertEqual((primary.role(), primary.status()["epoch"]), ("primary", epoch), "only words so far")

            primary.cable("wan", plugged=False)
            lab.wait("the role to move as was said", lambda: backup.role() == "primary")
            code, text = primary.ctl("what-if", "--node", str(backup.chassis), "--link", "lan=down", "--link", "wan=down")
            self.assertEqual(code, 0, text)
            change = backup.ask("history")["changes"][-1]
            self.assertEqual(change["election"]["criterion"], "traffic-bandwidth score")
            self.assertGreater(change["health"]["bandwidth_mbps"], change["peer_health"]["bandwidth_mbps"])

    def _rehearse(self, node, expected, *arguments):
        code, text = node.ctl("--json", "what-if", *map(str, arguments))
        self.assertEqual(code, 0, text)
        answer = json.loads(text)
        self.assertEqual(answer["primary_after"], expected.chassis, answer["text"])
        self.assertEqual(answer["moves"], expected is not node.lab.primary(), answer["text"])


if __name__ == "__main__":
    story.main()
