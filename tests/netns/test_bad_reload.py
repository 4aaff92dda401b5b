#!/usr/bin/python3
"""A reload of a bad file is answered with the line and the key, and changes nothing."""

import signal
import unittest

import story
from lab import Lab
from node import AGENT


class BadReload(unittest.TestCase):
    def test_a_mistake_is_named_and_the_pair_keeps_running_on_what_it_had(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary = lab.primary()
            before = primary.status()
            primary.write_file("cluster.yaml", "group_id: 7\nheartbeat: { interval: 10 apples }\n")

            code, text = primary.ctl("reload")
            self.assertEqual(code, 1, text)
            self.assertIn("cluster.yaml:2", text)
            self.assertIn("heartbeat.interval", text)
            self.assertIn("10 apples", text)

            primary.signal(AGENT, signal.SIGHUP)
            self.assertTrue(lab.watch(1, lambda: primary.role() == "primary" and lab.formed()))
            after = primary.status()
            for key in ("epoch", "addresses", "group_id"):
                self.assertEqual(after[key], before[key])

            primary.write_config()
            self.assertEqual(primary.ctl("reload")[0], 0)


if __name__ == "__main__":
    story.main()
