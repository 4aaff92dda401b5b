#!/usr/bin/python3
"""The management link goes at the primary: the role moves to the node that still has it, and stays there."""

import unittest

import story
from lab import Lab


class ManagementLink(unittest.TestCase):
    def test_losing_it_moves_the_role_to_the_node_that_still_has_it(self):
        management = {"interface": "mgmt0", "addresses": ["203.0.113.5/24"]}
        with Lab(story.build(), cluster={"management": management}) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            old.cable("mgmt0", plugged=False)
            lab.wait("the other node to take over", lambda: new.role() == "primary" and old.role() == "backup")
            self.assertIn("management link up against down", new.status()["node"]["reason"])
            self.assertIn("203.0.113.5", new.addresses().get("mgmt0", set()))
            old.cable("mgmt0", plugged=True)
            self.assertTrue(lab.watch(1.5, lambda: new.role() == "primary"))


if __name__ == "__main__":
    story.main()
