#!/usr/bin/python3
"""The doctor on a pair that is well, and on one that ails: each ailment is named while it lasts."""

import unittest

import story
from lab import Lab
from network import run
from node import AGENT, DATAPLANE


class Doctor(unittest.TestCase):
    def test_each_ailment_of_a_running_pair_is_named_while_it_lasts(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            code, report = primary.doctor()
            self.assertEqual((code, report["problems"]), (0, 0), report)
            self.assertGreater(report["checks"], 25)

            with self.subTest("a heartbeat cable"):
                primary.cable("ha1", plugged=False)
                lab.wait("it to be named", lambda: {"pair.path-dead", "box.heartbeat-link"} <= primary.ailments())
                self.assertEqual(primary.doctor()[0], 1)
                primary.cable("ha1", plugged=True)
                self._well_again(lab, primary)

            with self.subTest("settings of the kernel"):
                for setting, well, ill, ailment in (
                        ("net.ipv4.ip_forward", 1, 0, "box.ip-forward"),
                        ("net.ipv6.conf.lan.forwarding", 1, 0, "box.ipv6-forwarding"),
                        ("net.ipv4.conf.lan.rp_filter", 0, 1, "box.rp-filter"),
                        ("net.netfilter.nf_conntrack_tcp_loose", 0, 1, "box.conntrack-loose"),
                        ("net.netfilter.nf_conntrack_events", 1, 0, "box.conntrack-events")):
                    backup.execute("sysctl", "-q", "-w", f"{setting}={ill}")
                    self.assertIn(ailment, backup.ailments())
                    backup.execute("sysctl", "-q", "-w", f"{setting}={well}")
                    self.assertNotIn(ailment, backup.ailments())

            with self.subTest("a small MTU"):
                backup.execute("ip", "link", "set", "ha0", "mtu", "1000")
                self.assertIn("box.heartbeat-mtu", backup.ailments("problem"))
                backup.execute("ip", "link", "set", "ha0", "mtu", "1500")

            with self.subTest("another MTU than the peer's"):
                backup.execute("ip", "link", "set", "lan", "mtu", "1400")
                for node in lab.nodes:
                    self.assertIn("pair.mtu-differs", node.ailments("problem"))
                backup.execute("ip", "link", "set", "lan", "mtu", "1500")

            with self.subTest("a force that was forgotten"):
                self.assertEqual(backup.ctl("force", "backup")[0], 0)
                lab.wait("both to name it", lambda: all("pair.forced" in node.ailments() for node in lab.nodes))
                self.assertEqual(backup.ctl("force", "none")[0], 0)

            with self.subTest("a firewall that is not there, or tracks nothing"):
                rules = backup.execute("nft", "-s", "list", "ruleset")
                backup.execute("nft", "flush", "ruleset")
                self.assertIn("box.no-ruleset", backup.ailments("problem"))
                backup.execute("nft", "add", "table", "inet", "filters_nothing")
                self.assertIn("box.nothing-tracked", backup.ailments("problem"))
                run("ip", "netns", "exec", backup.netns, "nft", "-f", "-", stdin=f"flush ruleset\n{rules}")
                self.assertFalse({"box.no-ruleset", "box.nothing-tracked"} & backup.ailments())

            with self.subTest("another cluster.yaml"):
                backup.write_config(cluster={"group_name": "other"})
                self.assertIn("config.not-in-force", backup.ailments())
                self.assertEqual(backup.ctl("reload")[0], 0)
                lab.wait("both to name it",
                         lambda: all("pair.cluster-differs" in node.ailments() for node in lab.nodes))
                backup.write_config()
                self.assertEqual(backup.ctl("reload")[0], 0)

            with self.subTest("a data plane that is gone"):
                backup.terminate(DATAPLANE)
                lab.wait("both to name it",
                         lambda: all("pair.dataplane-down" in node.ailments() for node in lab.nodes))
                backup.start(DATAPLANE)
            self._well_again(lab, backup)

    def test_the_box_and_the_files_are_looked_at_when_nothing_runs(self):
        with Lab(story.build()) as lab:
            node = lab.fw1
            node.write_config()
            node.cable("ha0", plugged=False)
            lab.wait("the device to lose its carrier", lambda: "box.heartbeat-link" in node.ailments())
            self.assertEqual(node.ailments("problem"), {"pair.agent-down", "box.heartbeat-link"})
            node.write_config(node={"interfaces": {"lan": "eth77"}})
            self.assertIn("config.device-missing", node.ailments())
            node.write_file("cluster.yaml", "group_id: 7000\n")
            code, report = node.doctor()
            self.assertEqual(code, 1)
            self.assertIn("group_id", next(f["found"] for f in report["findings"] if f["id"] == "config.invalid"))

    def _well_again(self, lab, node):
        lab.wait("the doctor to find no problem any more", lambda: not node.ailments("problem"))


if __name__ == "__main__":
    story.main()
