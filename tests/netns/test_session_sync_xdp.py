#!/usr/bin/python3
"""Session sync over af_xdp: it carries many times the frames that it has buffers for, and a power loss is survived."""

import glob
import json
import unittest

import measure
import story
from lab import Lab
from network import ip_batch
from node import DATAPLANE
from traffic import Traffic

SYNC = {"node": {"session_sync": {"devices": ["net_af_xdp0,iface=dps0"], "hugepages": False}}}
SESSIONS, BUFFERS = 400_000, 6143  # dataplane/dpdk/port.cpp


@unittest.skipUnless(glob.glob("/usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so*"),
                     "DPDK's af_xdp driver (librte-net-af-xdp) is not installed")
class SessionSyncXdp(unittest.TestCase):
    def test_tables_become_equal_over_it(self):
        with Lab(story.build()) as lab:
            box = lab.nodes[0]
            ip_batch(["link add xdp-a type veth peer name xdp-b", "link set xdp-a up", "link set xdp-b up"],
                     netns=box.netns)
            told = json.loads(box.execute(
                lab.program("hotpair-bench"), "sync", "--no-pin", "--most-seconds", "40", "--sessions", str(SESSIONS),
                "--device", "net_af_xdp0,iface=xdp-a", "--peer-device", "net_af_xdp1,iface=xdp-b", "--json", "-"))
        self.assertTrue(told["equal"])
        self.assertEqual(told["sessions_primary"], told["sessions_backup"])

    def test_it_goes_on_beyond_its_buffers_and_connections_survive(self):
        with Lab(story.build(), sessions=SESSIONS, fw1=SYNC, fw2=SYNC) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            with Traffic(lab, tcp=20) as traffic:
                measure.fill(lab, SESSIONS)
                self.assertGreater(counter(primary, "tx_frames"), BUFFERS)
                self.assertGreater(counter(backup, "tx_frames"), 0)
                lab.wait_formed()
                report, _ = measure.power_loss(lab, traffic)
                self.assertTrue(report.all_alive, report)


def counter(node, name):
    return node.ask("status", daemon=DATAPLANE)["counters"][name]


if __name__ == "__main__":
    story.main()
