#!/usr/bin/python3
"""A partition that one node lacks is an alarm on both: after a takeover it would be missed. So the role does not move
there by choice."""

import unittest

import story
from lab import SERVER4, Lab
from network import ip_batch, run
from node import DATAPLANE

CONFIG_SYNC = {"paths": ["/mnt/a.nft"], "rescan": "5s",
               # Where /mnt/hold is, the backup does not take what the primary has.
               "check": {"/mnt/a.nft": ["test", "!", "-e", "/mnt/hold"]}}
SYSTEMS = [{"name": "tenant-a", "conntrack_zone": 10, "interfaces": ["lan"]},
           {"name": "tenant-b", "vrf": "vrf-b", "interfaces": ["extra"]},
           {"name": "tenant-c", "conntrack_zone": 20, "interfaces": ["wan"]}]
WITH_FILES = [{**SYSTEMS[0], "config_paths": ["/mnt/a.nft"]}]
NO_VRF = "lacks VRF vrf-b"  # not every kernel knows VRFs; here nobody makes one


def systems(node):
    return {system["name"]: system for system in node.status().get("logical_systems", [])}


def warned(node, text):
    return any(text in warning for warning in node.status()["warnings"])


def alarms(node):
    return {alarm["kind"] for alarm in node.status()["alarms"]}

DIFFERS = "logical system tenant-a is not the same on both nodes: /mnt/a.nft"
# What the client asks through the firewall belongs to tenant-a.
ZONE = """table inet tenant_a { chain zone { type filter hook prerouting priority raw;
  iifname "lan" udp dport 9 ct original zone set 10; }; }"""


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

    def test_each_tells_of_its_files_and_sessions_and_files_that_stay_different_are_an_alarm(self):
        with Lab(story.build(), cluster={"logical_systems": WITH_FILES, "config_sync": CONFIG_SYNC}) as lab:
            for node in lab.nodes:
                node.run_inside("mount", "-t", "tmpfs", "tmpfs", "/mnt")
                run("ip", "netns", "exec", node.netns, "nft", "-f", "-", stdin=ZONE)
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            write(primary, "one")
            lab.wait("both to have its file", lambda: all(
                (s := systems(node).get("tenant-a", {})).get("files") and s["files"] == (s["peer"] or {}).get("files")
                for node in lab.nodes))
            lab.wait("the file to be the same", lambda: config(primary)["in_sync"] == 1)
            lab.wait("both to say so", lambda: systems(primary)["tenant-a"]["files"] == systems(backup)["tenant-a"]["files"])
            self.assertFalse(any(warned(node, DIFFERS) for node in lab.nodes))

            backup.run_inside("touch", "/mnt/hold")
            write(primary, "two")
            lab.wait("the alarm on both", lambda: all(warned(node, DIFFERS) for node in lab.nodes), timeout=30)
            self.assertIn("DIFFERENT", primary.ctl("status")[1])
            backup.run_inside("rm", "/mnt/hold")
            lab.wait("its end", lambda: not any(warned(node, DIFFERS) for node in lab.nodes), timeout=30)

            run("ip", "netns", "exec", lab.prefix + "client", "bash", "-c", f"echo hi >/dev/udp/{SERVER4}/9")
            for node in lab.nodes:
                lab.wait(f"{node.name} to count the session",
                         lambda: node.ask("status", daemon=DATAPLANE)["sessions_of_zones"] == {"10": 1})
                self.assertRegex(node.ctl("status")[1], r"tenant-a +- +10 +1 +lan +same +complete +complete|tenant-a +10 +1 ")


def write(node, text):
    node.run_inside("sh", "-c", f"echo '# {text}' >/mnt/a.nft")


def config(node):
    return node.status()["config"]


if __name__ == "__main__":
    story.main()
