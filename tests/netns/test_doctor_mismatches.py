#!/usr/bin/python3
"""Every mistake that keeps two nodes from understanding each other is named by its kind, with the mend."""

import unittest

import story
from lab import Lab
from network import run
from node import AGENT

HEARTBEATS = [{"interface": f"ha{i}", "vlan": 999} for i in (0, 1)]


class DoctorOfMismatches(unittest.TestCase):
    def test_each_mistake_of_the_second_node_is_named_by_the_first(self):
        with Lab(story.build()) as lab:
            lab.fw1.write_config()
            lab.fw1.start(AGENT)
            lab.wait("the first node to become primary alone", lambda: lab.fw1.role() == "primary")
            for ailment, node, cluster in (
                    ("pair.wrong-group", None, {"group_id": 8}),
                    ("pair.wrong-vlan", {"heartbeat_interfaces": [{"interface": "ha0", "vlan": 998}]}, None),
                    ("pair.wrong-ethertype", None, {"heartbeat": {**lab.cluster["heartbeat"], "ethertype": 0x9891}}),
                    ("pair.same-chassis-id", {"chassis_id": 1}, None),
                    ("pair.wrong-path", {"heartbeat_interfaces": HEARTBEATS[::-1]}, None)):
                with self.subTest(ailment):
                    lab.fw2.write_config(node=node, cluster=cluster)
                    self._named(lab, ailment)
            with self.subTest("pair.wrong-password"):
                lab.fw2.write_config()
                lab.fw2.write_passwords("open barley")
                self._named(lab, "pair.wrong-password")
            with self.subTest("pair.untagged"):
                lab.fw2.write_config()
                self._strip_tags(lab)
                self._named(lab, "pair.untagged")

    def _named(self, lab, ailment):
        lab.fw2.start(AGENT)
        lab.wait(f"{ailment} to be named", lambda: ailment in lab.fw1.ailments("problem"))
        finding = next(f for f in lab.fw1.doctor()[1]["findings"] if f["id"] == ailment)
        self.assertTrue(finding["cause"] and finding["mend"], finding)
        self.assertEqual(lab.fw1.role(), "primary")
        lab.fw2.terminate(AGENT)

    @staticmethod
    def _strip_tags(lab):
        """The switch port of the first node becomes an access port of the heartbeat VLAN."""
        switch = f"{lab.prefix}sw"
        run("ip", "-n", switch, "link", "set", "ha0", "type", "bridge", "vlan_filtering", "1")
        run("bridge", "-n", switch, "vlan", "add", "dev", "fw2-ha0", "vid", "999")
        run("bridge", "-n", switch, "vlan", "add", "dev", "fw1-ha0", "vid", "999", "untagged")


if __name__ == "__main__":
    story.main()
