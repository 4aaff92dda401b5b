#!/usr/bin/python3
"""A rolling upgrade: the backup first, then the primary, every connection kept and no datagram lost."""

import json
import unittest

import story
from traffic import Traffic
from upgrade_lab import UpgradeLab

KINDS = ["check", *["take-out", "command", "return", "put-back"] * 2]


class Upgrade(unittest.TestCase):
    def test_both_nodes_are_upgraded_and_every_connection_lives(self):
        with UpgradeLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            planned = lab.upgrade(backup, "--dry-run", "--command", lab.script)
            self.assertEqual(planned.returncode, 0, planned)
            self.assertIn(f"{backup.name}, then {primary.name}; on each: {lab.script}", planned.stdout)
            self.assertEqual(lab.run_of(backup)["state"], "none", "a plan begins nothing")

            with Traffic(lab, tcp=100) as traffic:
                traffic.mark("upgrade")
                with lab.begin_upgrade(backup, "--json", "--command", lab.script) as running:
                    self._await_end(lab, running)
                    steps = [json.loads(line) for line in running.stdout]
                report = traffic.report()
            self.assertEqual(running.returncode, 0, steps)
            self.assertEqual([(step["kind"], step["state"]) for step in steps], [(kind, "done") for kind in KINDS])
            self.assertEqual([step["node"] for step in steps[1:]], [backup.name] * 4 + [primary.name] * 4)
            self.assertTrue(all(step["seconds"] > 0 for step in steps[1:]), steps)
            self.assertTrue(report.all_alive, report)
            self.assertEqual(report.lost, 0, report)
            self.assertTrue(lab.formed())
            self.assertEqual(lab.primary(), backup, "the role does not go back")
            for node in lab.nodes:
                self.assertEqual(node.status()["protocol"]["agreed"], 2)
                self.assertEqual(node.status()["node"]["forced"], "none")
            self.assertEqual(lab.run_of(backup)["state"], "finished")

    def _await_end(self, lab, running):
        lab.wait("the upgrade to end", lambda: running.poll() is not None or not lab.never_two_primaries(), timeout=60)
        self.assertTrue(lab.never_two_primaries())


if __name__ == "__main__":
    story.main()
