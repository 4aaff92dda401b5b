#!/usr/bin/python3
"""The management link: its address follows the primary, and losing it moves the role to the node that still has it."""

import unittest

import story
from lab import Lab

MANAGEMENT = {"interface": "mgmt0", "addresses": ["203.0.113.5/24"]}


class ManagementLink(unittest.TestCase):
    def test_the_role_and_the_management_address_go_to_the_node_whose_link_is_up(self):
        with Lab(story.build(), cluster={"management": MANAGEMENT}) as lab:
            lab.form()
            first = lab.primary()
            second = lab.other(first)
            self.assertIn("203.0.113.5", first.addresses()["mgmt0"])

            first.cable("mgmt0", plugged=False)
            lab.wait("the role to move", lambda: second.role() == "primary" and first.role() == "backup")
            self.assertIn("203.0.113.5", second.addresses()["mgmt0"])
            self.assertNotIn("mgmt0", first.addresses())
            self.assertIn("management", second.ctl("why")[1])


if __name__ == "__main__":
    story.main()
