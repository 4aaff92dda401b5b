#!/usr/bin/python3
"""The main job in short: the pair forms, connections live through a power loss and a planned switchover."""

import unittest

import measure
import story
from lab import Lab
from traffic import Traffic


class PowerLoss(unittest.TestCase):
    def test_connections_survive_a_power_loss_and_a_switchover_loses_nothing(self):
        with Lab(story.build()) as lab:
            lab.form()
            with Traffic(lab) as traffic:
                primary = lab.primary()
                lab.wait("equal digests", lambda: primary.ctl("verify")[0] == 0)

                report, dead = measure.power_loss(lab, traffic)
                self.assertTrue(report.all_alive, report)
                self.assertLess(report.silence, 250, report)  # the mark is 80; a busy machine is no defect

                measure.bring_back(lab, dead)

                report = measure.switchover(lab, traffic)
                self.assertEqual(lab.primary(), dead)
                self.assertTrue(report.all_alive, report)
                self.assertEqual(report.lost, 0, report)


if __name__ == "__main__":
    story.main()
