#!/usr/bin/python3
"""Remote monitors: an address that one node alone no longer reaches moves the role, one that nobody reaches does not."""

import unittest

import story
from lab import SERVER4, SERVER6, Lab
from network import ip_batch, run

REMOTE = [{"address": address, "interface": "wan", "interval": "100ms", "lost": 3} for address in (SERVER4, SERVER6)]


def reached(node):
    return [monitor["reached"] for monitor in node.status()["remote_monitors"]]


class RemoteMonitors(unittest.TestCase):
    def form(self, lab):
        lab.form()
        lab.wait("both nodes to reach both addresses",
                 lambda: all(reached(node) == [True, True] for node in lab.nodes))
        # The backup has no address there, and asks all the same.
        self.assertEqual([monitor["method"] for monitor in lab.backup().status()["remote_monitors"]], ["arp", "nd"])

    def test_what_only_the_backup_reaches_moves_the_role(self):
        with Lab(story.build(), cluster={"monitor": {"remote": REMOTE}}) as lab:
            self.form(lab)
            old, new = lab.primary(), lab.backup()
            # Two isolated ports of a switch do not reach each other, and every cable stays plugged.
            ip_batch([f"link set {port}-wan type bridge_slave isolated on" for port in (old.name, "server")],
                     netns=lab.prefix + "sw")
            lab.wait("the other node to take over", lambda: new.role() == "primary" and old.role() == "backup")
            self.assertIn("remote", new.status()["node"]["reason"])
            # One lost address is enough; the other may have had an interval to go.
            lab.wait("the old primary to miss both", lambda: reached(old) == [False, False])
            self.assertIn("NOT REACHED", old.ctl("status")[1])

    def test_what_nobody_reaches_moves_nothing(self):
        with Lab(story.build(), cluster={"monitor": {"remote": REMOTE}}) as lab:
            self.form(lab)
            primary = lab.primary()
            run("ip", "-n", lab.prefix + "server", "address", "flush", "dev", "wan")
            lab.wait("both nodes to miss both addresses",
                     lambda: all(reached(node) == [False, False] for node in lab.nodes))
            self.assertTrue(lab.watch(2, lambda: primary.role() == "primary"))


if __name__ == "__main__":
    story.main()
