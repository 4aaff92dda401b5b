#!/usr/bin/python3
"""Every path between two living nodes is cut: both serve. When they hear each other again the election keeps one, and
what was connected at either meanwhile is in both kernels."""

import unittest

import story
from lab import CLIENT4, SERVER4, Lab

PATHS = ("ha0", "ha1", "dps0")


class FullCut(unittest.TestCase):
    def test_two_primaries_become_one_that_has_the_sessions_of_both(self):
        with Lab(story.build()) as lab:
            lab.form()
            other = lab.backup()
            for device in PATHS:
                other.cable(device, plugged=False)
            lab.wait("both to serve", lambda: all(node.role() == "primary" for node in lab.nodes))
            for port, node in enumerate(lab.nodes, 7001):
                self.assertIn("NO BACKUP", node.ctl("status")[1])
                connect(node, port)

            for device in PATHS:
                other.cable(device, plugged=True)
            lab.wait_formed()
            keeper, loser = lab.primary(), lab.backup()
            self.assertTrue(any(node.status()["dual_primary_episodes"] == 1 for node in lab.nodes))
            self.assertIn("both were primary", loser.ctl("history")[1])
            self.assertIn("198.51.100.1", keeper.addresses()["wan"])
            self.assertNotIn("wan", loser.addresses())
            for node in lab.nodes:
                for port in (7001, 7002):
                    lab.wait(f"the connection from port {port} to be in {node.name}", lambda: connected(node, port))
            self.assertEqual(keeper.ctl("verify")[0], 0)


def connect(node, port):
    """As if a packet had made it: an established connection through this node."""
    node.run_inside("conntrack", "-I", "-p", "tcp", "-s", CLIENT4, "-d", SERVER4, "--sport", str(port), "--dport", "80",
                    "--state", "ESTABLISHED", "-u", "SEEN_REPLY,ASSURED", "-t", "300")


def connected(node, port):
    return node.run_inside("conntrack", "-L", "-p", "tcp", "--sport", str(port), check=False)


if __name__ == "__main__":
    story.main()
