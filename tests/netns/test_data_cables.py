#!/usr/bin/python3
"""A data cable of the primary is pulled: the node that still has both moves in, and stays when the cable is back."""

import unittest

import measure
import story
from lab import Lab
from traffic import Traffic


class DataCables(unittest.TestCase):
    def test_the_node_with_both_cables_takes_over_and_keeps_the_role(self):
        with Lab(story.build()) as lab:
            lab.form()
            old = lab.primary()
            with Traffic(lab) as traffic:
                report = measure.cable_pulled(lab, traffic, "lan")
                self.assertTrue(report.all_alive, report)
                self.assertLess(report.silence, 250, report)  # the mark is 60; a busy machine is no defect
                self.assertEqual(lab.primary(), lab.other(old))

    def test_a_switchover_back_right_after_the_cable_was_mended_loses_nothing(self):
        with Lab(story.build()) as lab:
            lab.form()
            with Traffic(lab) as traffic:
                measure.cable_pulled(lab, traffic, "wan")
                report = measure.switchover(lab, traffic)
                self.assertEqual(report.lost, 0, "neighbours asked for while the cable was out were not asked again")

    def test_a_cable_that_is_pulled_at_the_backup_moves_nothing(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            backup.cable("wan", plugged=False)
            lab.wait("the primary to know", lambda: primary.status()["peer"]["lost_interfaces"] == ["wan"])
            self.assertTrue(lab.watch(1, lambda: primary.role() == "primary" and backup.role() == "backup"))


if __name__ == "__main__":
    story.main()
