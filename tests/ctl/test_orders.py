#!/usr/bin/python3
"""What `hotpair` passes on as an order, and what it says of the outcome.

    tests/ctl/test_orders.py build/debug/tools/ctl/hotpair
"""

import unittest

from fake_daemons import CommandTest, status


class Orders(CommandTest):
    def test_wrong_usage_is_2(self):
        for arguments in ([], ["bogus"], ["failover", "now"], ["force"], ["force", "sideways"]):
            self.assertEqual(self.hotpair(*arguments)[0], 2, arguments)

    def test_a_refused_failover_is_1_with_the_reason(self):
        self.agent(failover={"ok": False, "error": "fw2 is not in sync"})
        code, _, err = self.hotpair("failover")
        self.assertEqual(code, 1)
        self.assertIn("fw2 is not in sync", err)

    def test_failover_says_how_long_it_took_and_force_is_passed_on(self):
        agent = self.agent(failover={"ok": True, "message": "fw2 is primary now", "took_ms": 12.34})
        self.assertEqual(self.hotpair("failover", "--force"), (0, "fw2 is primary now (12.3 ms)\n", ""))
        self.assertEqual(agent.requests, [{"command": "failover", "force": True}])

    def test_a_rehearsed_failover_moves_nothing_and_says_how_it_would_go(self):
        steps = [{"node": 1, "name": "drain", "text": "waits until the backup has every session"}]
        agent = self.agent(failover={"ok": True, "allowed": True, "text": "fw2 would become primary", "steps": steps})
        code, out, _ = self.hotpair("failover", "--dry-run")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"fw2 would become primary\n +1\. node 1  drain +waits until")
        self.assertEqual(agent.requests, [{"command": "failover", "force": False, "dry_run": True}])
        self.doCleanups()
        self.setUp()
        self.agent(failover={"ok": True, "allowed": False, "text": "fw2 is not in sync", "steps": []})
        self.assertEqual(self.hotpair("failover", "--dry-run"), (1, "fw2 is not in sync\n", ""))

    def test_what_if_passes_each_assumption_and_prints_the_verdict(self):
        agent = self.agent(what_if={
            "ok": True, "text": "fw2 would become primary", "moves": True, "held_back": "a hold of 3 s", "notes": ["a guess"],
            "criteria": [{"criterion": "traffic-bandwidth score", "one": "10", "two": "20", "decides": True}]})
        code, out, _ = self.hotpair("what-if", "--node", "1", "--link", "wan=down", "--link", "lan=up", "--module",
                                    "3=failed", "--remote", "2001:db8::1=lost", "--management", "down", "--power", "on",
                                    "--forced", "none", "--uptime", "60")
        self.assertEqual(code, 0)
        for words in ("fw2 would become primary", "it would wait: a hold of 3 s", "Note: a guess", "<- decides"):
            self.assertIn(words, out)
        self.assertEqual(agent.requests[0]["assumptions"], [
            {"kind": "link", "name": "wan", "good": False, "node": 1}, {"kind": "link", "name": "lan", "good": True, "node": 1},
            {"kind": "remote", "name": "2001:db8::1", "good": False, "node": 1},
            {"kind": "module", "slot": 3, "good": False, "node": 1}, {"kind": "management", "good": False, "node": 1},
            {"kind": "power", "good": True, "node": 1}, {"kind": "forced", "state": "none", "node": 1},
            {"kind": "uptime", "seconds": 60, "node": 1}])

    def test_what_if_of_nothing_or_of_nonsense_is_wrong_usage(self):
        for arguments in ([], ["--link", "wan"], ["--link", "wan=sideways"], ["--node", "3", "--power", "off"]):
            self.assertEqual(self.hotpair("what-if", *arguments)[0], 2, arguments)

    def test_password_status_shows_who_has_what_and_the_next_step(self):
        answer = {"ok": True, "loaded": [{"key": "aa", "used": True}, {"key": "bb", "used": False}],
                  "node": {"used": "aa", "other": "bb", "round": 0}, "peer": {"used": "aa", "other": None, "round": 0},
                  "next_step": "append it there"}
        self.agent(password=answer)
        _, out, _ = self.hotpair("password", "status")
        self.assertRegex(out, r"aa +1 +USED +USED")
        self.assertRegex(out, r"bb +2 +accepted +NOT LOADED")
        self.assertIn("Next: append it there", out)

    def test_password_switch_says_what_is_left_to_do_and_a_refusal_is_1(self):
        agent = self.agent(password={"ok": True, "message": "both use bb; remove the first line"})
        self.assertEqual(self.hotpair("password", "switch"), (0, "both use bb; remove the first line\n", ""))
        self.assertEqual(agent.requests, [{"command": "password", "action": "switch", "back": False}])
        self.doCleanups()
        self.setUp()
        self.agent(password={"ok": False, "error": "the other node has not loaded it"})
        self.assertEqual(self.hotpair("password", "switch")[0], 1)

    def test_config_checksum_shows_both_nodes_and_is_1_when_they_differ(self):
        answer = {"ok": True, "paths": ["/etc/a", "/etc/b"], "own": {"/etc/a": "11", "/etc/b": "22", "": "33"},
                  "peer": {"/etc/a": "11", "/etc/b": "99", "": "44"}}
        self.agent(status=status(config={}), config=answer)
        code, out, _ = self.hotpair("config", "checksum")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"/etc/a +11 +11 +same")
        self.assertRegex(out, r"/etc/b +22 +99 +DIFFERENT")
        self.assertRegex(out, r"all +33 +44 +DIFFERENT")
        self.assertEqual(self.hotpair("--json", "config", "checksum")[0], 1)

    def test_config_diff_is_unified_and_names_rights_and_files_of_one_node_alone(self):
        entry = {"kind": 1, "mode": 0o644, "user": 0, "group": 0, "size": 4}
        rows = [{"path": "/etc/a", "own": entry, "peer": {**entry, "mode": 0o600}, "own_text": "new\n", "peer_text": "old\n"},
                {"path": "/etc/b", "own": None, "peer": entry}]
        facts = [{"name": "package nftables", "own": "1.0.6-2", "peer": "1.0.9-1"}]
        agent = self.agent(status=status(config={}), config={"ok": True, "differences": rows, "facts": facts})
        code, out, _ = self.hotpair("config", "diff")
        self.assertEqual(code, 1)
        self.assertIn("-old\n+new\n", out)
        self.assertIn("here mode 0644 owner 0:0, at the peer mode 0600", out)
        self.assertIn("only at the peer: /etc/b", out)
        self.assertRegex(out, r"package nftables +1\.0\.6-2 +1\.0\.9-1\n")
        self.assertEqual(agent.requests[1:], [{"command": "config", "action": "diff"}])
        self.assertEqual(self.hotpair("--json", "config", "diff")[0], 1)

    def test_config_has_the_ruleset_and_its_sets_beside_the_files_or_alone(self):
        ruleset = {"nft_ruleset": True, "in_sync": 0, "checksum": "ab" * 32, "peer_checksum": "cd" * 32, "error": "nft refuses it",
                   "sets": [{"set": "inet filter blocklist", "elements": 2, "digest": "11", "peer_digest": "11", "in_sync": 1}]}
        agent = self.agent(status=status(ruleset=ruleset), ruleset={"ok": True, "own_text": "new\n", "peer_text": "old\n"})
        code, out, _ = self.hotpair("config", "checksum")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"\(ruleset\) +(ab){16} +(cd){16} +DIFFERENT")
        self.assertRegex(out, r"\(set inet filter blocklist\) +11 +11 +same")
        self.assertIn("nft refuses it", out)
        code, out, _ = self.hotpair("config", "diff")
        self.assertEqual(code, 1)
        self.assertIn("--- peer:ruleset", out)
        self.assertIn("-old\n+new\n", out)
        self.assertEqual(agent.requests[-1], {"command": "ruleset", "action": "diff"})
        self.assertIn("NOT IN SYNC: nft refuses it", self.hotpair("status")[1])

    def test_peer_without_an_agent_is_3_and_without_a_command_2(self):
        code, _, said = self.hotpair("peer", "exec", "true")
        self.assertEqual(code, 3)
        self.assertEqual(said.count("systemctl"), 1, "one piece of advice: " + said)
        self.assertEqual(self.hotpair("peer", "exec")[0], 2)
        self.assertEqual(self.hotpair("peer", "dance", "--fast")[0], 2)

    def test_force_passes_the_state(self):
        agent = self.agent(force={"ok": True, "message": "done"})
        self.assertEqual(self.hotpair("force", "backup")[0], 0)
        self.assertEqual(agent.requests[0]["state"], "backup")

    def test_maintenance_is_ordered_and_shown_in_capitals(self):
        answer = status()
        answer["node"]["health"]["forced"] = "maintenance"
        agent = self.agent(status=answer, maintenance={"ok": True, "message": "node 1 is in maintenance"})
        self.assertEqual(self.hotpair("maintenance", "on")[:2], (0, "node 1 is in maintenance\n"))
        self.assertEqual(agent.requests[-1], {"command": "maintenance", "on": True})
        self.assertRegex(self.hotpair("status")[1], r"forced +MAINTENANCE")
        self.assertEqual(self.hotpair("maintenance", "perhaps")[0], 2)


if __name__ == "__main__":
    unittest.main()
