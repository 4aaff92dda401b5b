#!/usr/bin/python3
"""A link that bounces is not believed at once, and the status says until when."""

import unittest

import story
from lab import Lab


class FlappingLink(unittest.TestCase):
    def test_a_link_that_bounced_twice_counts_only_after_its_back_off(self):
        with Lab(story.build(), cluster={"election": {"flap_backoff": "3s"}}) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            for _ in range(2):
                old.cable("lan", plugged=False)
                lab.wait("the role to move, or stay moved", lambda: new.role() == "primary" and lan(old) == "down")
                old.cable("lan", plugged=True)
                lab.wait("the carrier to be back", lambda: lan(old) == "up")
            # Now the other loses its cable for good, and would be succeeded but for the bounces.
            new.cable("lan", plugged=False)
            lab.wait("the status to say so",
                     lambda: any("in quick succession; suppressed by election.flap_backoff" in node.ctl("status")[1]
                                 for node in lab.nodes))
            self.assertEqual(new.role(), "primary")
            lab.wait("the role to go when the back-off is over", lambda: old.role() == "primary")


def lan(node):
    return "up" if next(i for i in node.status()["data_interfaces"] if i["name"] == "lan")["up"] else "down"


if __name__ == "__main__":
    story.main()
