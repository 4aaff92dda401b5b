#!/usr/bin/python3
"""With a second CPU in session_sync.lcores the kernels' tables are read and written in threads of their own: a power loss,
a planned switchover and the return of the lost node go as they do without."""

import os
import unittest

import measure
import story
from lab import Lab
from node import DATAPLANE
from traffic import Traffic

SYNC = {"node": {"session_sync": {"devices": ["net_af_packet0,iface=dps0"], "hugepages": False, "lcores": [1, 0]}}}
SESSIONS = 20_000


@unittest.skipIf(not {0, 1} <= os.sched_getaffinity(0), "CPUs 0 and 1 are not both there to be used")
class SessionSyncThreads(unittest.TestCase):
    def test_every_connection_survives_both_ways(self):
        with Lab(story.build(), sessions=SESSIONS, fw1=SYNC, fw2=SYNC) as lab:
            lab.form()
            first, second = lab.primary(), lab.backup()
            for node in (first, second):
                self.assertLessEqual({"conntrack-read", "conntrack-write"}, threads_of(node))
            with Traffic(lab, tcp=20) as traffic:
                measure.fill(lab, SESSIONS)
                lab.wait_formed()
                report, _ = measure.power_loss(lab, traffic)
                self.assertTrue(report.all_alive, report)
                measure.bring_back(lab, first)
                report = measure.switchover(lab, traffic)
                self.assertEqual((report.lost, report.all_alive), (0, True), report)
            self.assertIs(lab.primary(), first)


def threads_of(node):
    tasks = f"/proc/{node.pid(DATAPLANE)}/task"
    names = set()
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/comm", encoding="ascii") as file:
            names.add(file.read().strip())
    return names


if __name__ == "__main__":
    story.main()
