#!/usr/bin/python3
"""Every mistake that keeps two nodes from understanding each other is named by its kind, with the mend."""

import unittest

import story
from lab import Lab
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
            for ailment, envelope, version in (("pair.untagged", "", 0),
                                               ("pair.wrong-version", "8100 e3e7", 9)):
                with self.subTest(ailment):
                    lab.wait("it to be named",
                             lambda: self._speak(lab, envelope, version) and ailment in lab.fw1.ailments())

    def _named(self, lab, ailment):
        lab.fw2.start(AGENT)
        lab.wait(f"{ailment} to be named", lambda: ailment in lab.fw1.ailments("problem"))
        finding = next(f for f in lab.fw1.doctor()[1]["findings"] if f["id"] == ailment)
        self.assertTrue(finding["cause"] and finding["mend"], finding)
        self.assertEqual(lab.fw1.role(), "primary")
        lab.fw2.terminate(AGENT)

    @staticmethod
    def _speak(lab, envelope, version):
        """A frame of our group: without the tag that a switch port in access mode strips, or of another layout."""
        frame = bytes.fromhex(f"034850000007 020000000002 {envelope} 9890") + b"HPHB" + bytes([version, 1, 0, 7]) + bytes(200)
        lab.fw2.execute("/usr/bin/python3", "-c",
                        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('ha0', 0)); "
                        f"s.send(bytes.fromhex('{frame.hex()}'))")
        return True


if __name__ == "__main__":
    story.main()
