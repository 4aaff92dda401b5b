#!/usr/bin/python3
"""A partition that one node lacks is an alarm on both: after a takeover it would be missed. So the role does not move
there by choice."""

import unittest

import story
from lab import Lab
from network import ip_batch

SYSTEMS = [{"name": "tenant-a", "conntrack_zone": 10, "interfaces": ["lan"]},
           {"name": "tenant-b", "vrf": "vrf-b", "interfaces": ["extra"]},
           {"name": "tenant-c", "conntrack_zone": 20, "interfaces": ["wan"]}]
NO_VRF = "lacks VRF vrf-b"  # not every kernel knows VRFs; here nobody makes one


def systems(node):
    return {system["name"]: system for system in node.status().get("logical_systems", [])}


def warned(node, text):
    return any(text in warning for warning in node.status()["warnings"])


def alarms(node):
    return {alarm["kind"] for alarm in node.status()["alarms"]}


class LogicalSystems(unittest.TestCase):
    def test_what_a_node_lacks_is_named_on_both_until_it_is_there(self):
        with Lab(story.build(), cluster={"logical_systems": SYSTEMS}) as lab:
            for node in lab.nodes:
                ip_batch(["link add extra type veth peer name other", "link set other up", "link set extra up"],
                         netns=node.netns)
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            lab.wait("the nodes to tell each other", lambda: all(
                systems(node).get("tenant-a", {}).get("peer") == {"state": "complete", "lacks": []} for node in lab.nodes))
            self.assertEqual(systems(primary)["tenant-a"]["interfaces"], [{"name": "lan", "present": True, "up": True}])
            self.assertEqual((systems(primary)["tenant-a"]["zone"], systems(primary)["tenant-b"]["state"]), (10, "incomplete"))
            self.assertTrue(all(warned(node, f"{who} {NO_VRF}") for node in lab.nodes for who in ("this node", "the peer")))

            ip_batch(["link del extra"], netns=backup.netns)
            lacking = f"{NO_VRF}, interface extra of logical system tenant-b"
            lab.wait("the backup to name it", lambda: warned(backup, f"this node {lacking}"))
            lab.wait("the primary to name it", lambda: warned(primary, f"the peer {lacking}"))
            self.assertIn("LACKS VRF vrf-b, interface extra", primary.ctl("status")[1])

            ip_batch(["link add extra type veth peer name other", "link set other up", "link set extra up"],
                     netns=backup.netns)
            lab.wait("the alarm to end", lambda: not any(warned(node, "interface extra") for node in lab.nodes))

            backup.write_config(cluster={"logical_systems": SYSTEMS[:2]})
            self.assertEqual(backup.ctl("reload")[0], 0)
            missing = f"node {backup.chassis} lacks logical system tenant-c"
            lab.wait("both to know", lambda: all(missing in node.ctl("failover", "--dry-run")[1] for node in lab.nodes))
            self.assertTrue(all("partition-missing" in alarms(node) for node in lab.nodes))
            for node in lab.nodes:
                for order in (["failover"], ["failover", "--dry-run"]):
                    code, why = node.ctl(*order)
                    self.assertEqual(code, 1, why)
                    self.assertIn(missing, why)
            self.assertEqual(primary.ctl("maintenance", "on")[0], 1, "nor for that")
            self.assertEqual(lab.primary(), primary)

            backup.write_config()
            self.assertEqual(backup.ctl("reload")[0], 0)
            lab.wait("both to be content", lambda: not any("partition-missing" in alarms(node) for node in lab.nodes))
            self.assertEqual(primary.ctl("failover")[0], 0)
            self.assertEqual(lab.primary(), backup)


if __name__ == "__main__":
    story.main()
