#!/usr/bin/python3
"""kill -9 of the primary's data plane: traffic does not care, nothing moves, and status says it. Once it runs again
the tables are in sync again."""

import signal
import unittest

import measure
import story
from lab import Lab
from node import DATAPLANE
from traffic import Traffic


class DataplaneKilled(unittest.TestCase):
    def test_nothing_moves_and_the_tables_are_in_sync_again_after_the_restart(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary = lab.primary()
            epoch = primary.status()["epoch"]
            with Traffic(lab) as traffic:
                traffic.mark("data plane killed")
                primary.signal(DATAPLANE, signal.SIGKILL)
                lab.wait("status to say it", lambda: not primary.status()["node"]["dataplane_alive"])
                lab.wait("status to say that the tables are not proven equal", lambda: not primary.status()["in_sync"])
                _, text = primary.ctl("status")
                self.assertIn("NOT IN SYNC", text)
                code, refusal = primary.ctl("failover")
                self.assertEqual(code, 1, f"a planned switchover now would lose connections: {refusal}")

                primary.start(DATAPLANE)
                lab.wait_formed()
                self.assertEqual((lab.primary(), primary.status()["epoch"]), (primary, epoch))
                report = traffic.report()
                self.assertEqual((report.lost, report.all_alive), (0, True), report)

    def test_a_backup_whose_data_plane_died_gets_the_whole_table_again(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            with Traffic(lab) as traffic:
                backup.signal(DATAPLANE, signal.SIGKILL)
                lab.wait("status to say it", lambda: not primary.status()["in_sync"])
                backup.start(DATAPLANE)
                lab.wait_formed()
                report, _ = measure.power_loss(lab, traffic)
                self.assertTrue(report.all_alive, report)


if __name__ == "__main__":
    story.main()
