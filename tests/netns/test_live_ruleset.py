#!/usr/bin/python3
"""The ruleset in the primary's kernel and the elements of its sets are in the backup's, as they change."""

import os
import time
import unittest

import story
from network import run
from ruleset_lab import RulesetLab, elements, has_rule, listing, nft, ruleset


class LiveRuleset(unittest.TestCase):
    def test_rules_and_elements_follow_and_survive_a_failover(self):
        with RulesetLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            nft(backup, "table inet hotpair { chain ours { }\n}")
            nft(primary, "table inet hotpair { chain of_this_node { }\n}")

            nft(backup, "add element inet live seen { 203.0.113.1 }")
            nft(primary, "add rule inet live input tcp dport 2222 drop")
            lab.wait("the rule to arrive", lambda: has_rule(backup, "tcp dport 2222 drop"))
            self.assertIn("203.0.113.1", elements(backup, "seen"), "what packets added there stays")
            nft(primary, "add element inet live friends { 192.0.2.10 }")
            lab.wait("the element of a set that is part of the ruleset", lambda: "192.0.2.10" in elements(backup, "friends"))
            nft(primary, "delete table ip lab_nat")
            lab.wait("a table that was removed to go", lambda: not has_rule(backup, "lab_nat"))
            lab.wait("both to agree", lab.agreed)
            self.assertIn("chain ours", listing(backup, "list", "table", "inet", "hotpair"), "our own table is left alone")
            self.assertNotIn("of_this_node", listing(backup))

            at = time.monotonic()
            nft(primary, "add element inet live blocklist { 203.0.113.7 timeout 1h expires 40m, 203.0.113.8 timeout 2s }")
            lab.wait("the elements to arrive", lambda: len(elements(backup, "blocklist")) == 2, every=0.005)
            print(f"elements were in the backup's kernel after {(time.monotonic() - at) * 1e3:.0f} ms")
            self.assertAlmostEqual(elements(backup, "blocklist")["203.0.113.7"], 2400, delta=5)
            nft(primary, "table inet new { set blocklist { type ipv4_addr; flags timeout; elements = { 203.0.113.20 timeout 1h }\n}\n}")
            lab.wait("the element of a set that is new too", lambda: "203.0.113.20" in elements(backup, "blocklist", "new"), timeout=3)
            nft(primary, "delete table inet new")
            lab.wait("the short one to end on both", lambda: all("203.0.113.8" not in elements(n, "blocklist") for n in lab.nodes))

            primary.execute("nft", "add set inet live blocklist6 { type ipv6_addr; }")
            lab.wait("both to agree", lab.agreed)
            status, text = primary.ctl("config", "checksum")
            self.assertEqual(status, 0, text)
            self.assertRegex(text, r"\(ruleset\) +[0-9a-f]{32} +[0-9a-f]{32} +same")
            self.assertRegex(text, r"\(set inet live blocklist\) +[0-9a-f]{16} +[0-9a-f]{16} +same")
            lab.wait("the status to count the one that is left",
                     lambda: "inet live blocklist: 1 elements, in sync" in primary.ctl("status")[1])

            primary.power_off()
            lab.wait("the takeover", lambda: backup.role() == "primary")
            self.assertAlmostEqual(elements(backup, "blocklist")["203.0.113.7"], 2400, delta=30)
            nft(backup, "add element inet live blocklist { 203.0.113.9 timeout 1h }; delete chain inet live input")

            primary.power_on()
            primary.start_daemons()
            lab.wait("who was away to have all of it", lambda: "203.0.113.9" in elements(primary, "blocklist") and
                     not has_rule(primary, "2222"), timeout=60)
            self.assertIn("203.0.113.7", elements(primary, "blocklist"))

    def test_what_a_kernel_cannot_have_is_named_and_what_the_backup_changed_is_reported_or_put_back(self):
        for policy in ("report", "revert"):
            with RulesetLab(story.build(), backup_changes=policy) as lab:
                lab.form()
                primary, backup = lab.primary(), lab.backup()
                if policy == "report":
                    self.refused(lab, primary, backup)
                    self.reported(lab, primary, backup)
                    self.both_changed(lab, primary, backup)
                else:
                    self.put_back(lab, primary, backup)

    def refused(self, lab, primary, backup):
        run("ip", "-n", primary.netns, "link", "add", "only0", "type", "veth", "peer", "name", "only1")
        before = listing(backup, "-s", "list", "ruleset")
        nft(primary, "add rule inet live input iif only0 accept")
        lab.wait("nft's words", lambda: "Interface does not exist" in ruleset(primary)["error"])
        self.assertEqual(listing(backup, "-s", "list", "ruleset"), before, "the backup's rules are whole")
        lab.wait("the alarm", lambda: any("rulesets differ" in a["text"] for a in primary.status()["alarms"]))
        self.assertEqual(primary.ctl("config", "checksum")[0], 1)
        lab.wait("the backup to know it too", lambda: ruleset(backup)["in_sync"] == 0)
        run("ip", "-n", backup.netns, "link", "add", "only0", "type", "veth", "peer", "name", "only1")
        nft(primary, "add rule inet live input tcp dport 7777 accept")
        lab.wait("what fits to arrive", lambda: has_rule(backup, "7777") and has_rule(backup, "only0"))
        lab.wait("both to agree", lab.agreed)

    def reported(self, lab, primary, backup):
        nft(backup, "add rule inet live input tcp dport 3333 accept")
        lab.wait("the change to be named", lambda: ruleset(primary)["changed_on_backup"])
        self.assertTrue(has_rule(backup, "3333"), "reported, and left")
        status, text = primary.ctl("config", "diff")
        self.assertEqual(status, 1, text)
        self.assertIn("-tcp dport 3333 accept\n", text)
        self.assertEqual(primary.ctl("config", "push")[0], 0)
        self.assertFalse(has_rule(backup, "3333"))
        lab.wait("both to agree", lab.agreed)
        lab.wait("what lost to be kept", lambda: "3333" in self.kept(backup))
        nft(backup, "add rule inet live input tcp dport 4444 accept")
        lab.wait("the change to be named", lambda: ruleset(primary)["changed_on_backup"])
        self.assertEqual(primary.ctl("config", "pull")[0], 0)
        self.assertTrue(has_rule(primary, "4444"))
        lab.wait("both to agree", lab.agreed)

    def both_changed(self, lab, primary, backup):
        for device in ("ha0", "ha1"):
            primary.cable(device, plugged=False)
        nft(primary, "add rule inet live input tcp dport 5555 accept")
        nft(backup, "add rule inet live input tcp dport 6666 accept")
        lab.wait("the cut to be named", lambda: ruleset(primary)["error"])
        for device in ("ha0", "ha1"):
            primary.cable(device, plugged=True)
        lab.wait("the conflict to be named", lambda: ruleset(primary)["conflict"] and ruleset(backup)["conflict"])
        self.assertTrue(has_rule(backup, "5555"))
        self.assertFalse(has_rule(backup, "6666"))
        lab.wait("what lost to be kept", lambda: "6666" in self.kept(backup))

    def put_back(self, lab, primary, backup):
        nft(backup, "add rule inet live input tcp dport 3333 accept; add element inet live blocklist { 203.0.113.66 }")
        lab.wait("the change to be put back", lambda: not has_rule(backup, "3333"))
        lab.wait("the element to be taken away", lambda: not elements(backup, "blocklist"))
        lab.wait("what lost to be kept", lambda: "3333" in self.kept(backup))
        nft(primary, "flush ruleset")
        lab.wait("an empty ruleset to be held back", lambda: "no rules at all" in ruleset(primary)["error"])
        self.assertTrue(has_rule(backup, "blocklist"))

    def kept(self, node):
        path = ruleset(node)["kept_file"]
        if not path:
            return ""
        self.assertEqual(os.path.dirname(path), f"{node.state_dir}/ruleset")
        with open(path) as file:
            return file.read()


if __name__ == "__main__":
    story.main()
