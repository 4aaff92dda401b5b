#!/usr/bin/python3
"""What `hotpair` tells of itself without a daemon: help, completion, events, keys, versions.

    tests/ctl/test_reference.py build/debug/tools/ctl/hotpair
"""

import json
import subprocess
import unittest

from fake_daemons import CommandTest


class Reference(CommandTest):
    def test_help_is_0_and_teaches_with_examples(self):
        for command in ("status", "top", "why", "doctor", "history", "sessions", "verify", "failover", "what-if", "force", "reload",
                        "maintenance", "password", "explain", "keys", "setup", "migrate", "completion", "version", "peer", "config", "upgrade"):
            code, out, _ = self.hotpair(command, "--help")
            self.assertEqual(code, 0)
            self.assertIn("Example", out)

    def test_completion_knows_commands_options_and_their_values(self):
        code, out, _ = self.hotpair("completion")
        self.assertEqual(code, 0)

        def complete(*words):
            script = out + f'COMP_WORDS=({" ".join(words)} ""); COMP_CWORD={len(words)}; _hotpair; echo "${{COMPREPLY[@]}}"'
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()

        self.assertLessEqual({"status", "doctor", "what-if", "--json"}, set(complete("hotpair")))
        self.assertLessEqual({"--dry-run", "--force"}, set(complete("hotpair", "failover")))
        self.assertLessEqual({"primary", "backup", "none"}, set(complete("hotpair", "--json", "force")))
        self.assertEqual(complete("hotpair", "what-if", "--management"), ["up", "down"])

    def test_explain_tells_what_an_id_means(self):
        for asked in ("HP-1203", "hp-1203", "1203", "persist-failed"):
            code, out, _ = self.hotpair("explain", asked)
            self.assertEqual(code, 0)
            for words in ("HP-1203", "persist-failed", "error", "df", "HOTPAIR_ID=HP-1203"):
                self.assertIn(words, out)
        listed = json.loads(self.hotpair("explain", "--json")[1])["events"]
        self.assertGreater(len(listed), 100)
        self.assertEqual(set(listed[0]), {"id", "event", "level", "message_id", "meaning", "causes", "next"})
        part = self.hotpair("explain", "path")[1]
        self.assertIn("path-dead", part)
        self.assertNotIn("role-change", part)
        code, _, err = self.hotpair("explain", "HP-9999")
        self.assertEqual(code, 1)
        self.assertIn("no event 'HP-9999'", err)

    def test_keys_tells_what_the_configuration_knows(self):
        code, out, _ = self.hotpair("keys", "lost_threshold")
        self.assertEqual(code, 0)
        for words in ("heartbeat.lost_threshold", "a number from 2 to 60", "default: 4"):
            self.assertIn(words, out)
        self.assertEqual(self.hotpair("keys", "sideways")[0], 1)
        files = json.loads(self.hotpair("keys", "--json")[1])
        for file in ("node.yaml", "cluster.yaml"):
            self.assertEqual([key["key"] for key in files[file] if not key["meaning"]], [])

    def test_version_works_without_a_daemon(self):
        self.assertEqual(self.hotpair("--version")[0], 0)
        code, out, _ = self.hotpair("version")
        self.assertEqual(code, 0)
        self.assertIn("hotpaird  (not reachable)", out)


if __name__ == "__main__":
    unittest.main()
