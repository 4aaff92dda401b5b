#!/usr/bin/python3
"""A state directory that takes no file is an alarm while it lasts, and keeps no node from carrying the traffic."""

import signal
import unittest

import story
from lab import Lab
from node import AGENT


def fill(node):
    node.run_inside("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", node.state_dir)
    node.run_inside("sh", "-c", f"head -c 100000 /dev/zero >{node.state_dir}/filler", check=False)


class StateDirectory(unittest.TestCase):
    def named(self, node):
        return "pair.request-failing" in node.ailments("problem") and "cannot be written" in node.ctl("status")[1]

    def test_a_full_disk_is_named_at_once_and_a_dead_primary_is_succeeded_all_the_same(self):
        with Lab(story.build()) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            fill(new)
            code, answer = new.ctl("force", "backup")
            self.assertEqual(code, 1)
            self.assertIn("No space left on device", answer)
            lab.wait("it to be named", lambda: self.named(new))

            old.signal(AGENT, signal.SIGKILL)
            lab.wait("the backup to take over", lambda: new.role() == "primary" and new.addresses().get("lan"))
            self.assertTrue(self.named(new))
            old.start(AGENT)
            lab.wait_formed()

            new.run_inside("umount", new.state_dir)
            lab.wait("the alarm to end", lambda: not self.named(new))
            self.assertEqual(new.ctl("force", "none")[0], 0)

    def test_a_node_starts_with_a_full_disk(self):
        with Lab(story.build()) as lab:
            fill(lab.fw1)
            lab.fw1.write_config()
            lab.fw1.start_daemons()
            lab.wait("it to carry the traffic alone", lambda: lab.fw1.role() == "primary")
            self.assertTrue(self.named(lab.fw1))


if __name__ == "__main__":
    story.main()
