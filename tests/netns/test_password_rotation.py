#!/usr/bin/python3
"""A new password comes in under traffic: no heartbeat path is lost, no role moves, the tables stay in sync."""

import unittest

import story
from lab import Lab
from node import AGENT
from traffic import Traffic

OLD, NEW = "open sesame", "open barley"


class PasswordRotation(unittest.TestCase):
    def test_both_nodes_go_over_to_a_new_password_while_they_run(self):
        with Lab(story.build()) as lab:
            lab.form()
            before = standing(lab)
            with Traffic(lab, tcp=20) as traffic:
                traffic.mark("rotation")
                self._refused_while_one_node_lacks_it(lab)
                self._reload(lab.fw2)
                lab.wait("both to accept both passwords", lambda: all(loaded(node) == 2 for node in lab.nodes))
                self._switch(lab)
                self._restart_in_the_middle(lab)
                for node in lab.nodes:
                    node.write_passwords(NEW)
                    self._reload(node)
                self.assertTrue(lab.watch(2, lambda: standing(lab) == before and paths_alive(lab)), lab.evidence())
                self.assertTrue(traffic.report().all_alive)
            self.assertEqual([loaded(node) for node in lab.nodes], [1, 1])
            self._restart(lab)
            self.assertEqual(standing(lab), before)

    def test_a_reload_that_would_make_the_nodes_deaf_to_each_other_is_refused(self):
        with Lab(story.build()) as lab:
            lab.form()
            lab.fw1.write_passwords(NEW)
            code, text = lab.fw1.ctl("reload")
            self.assertEqual(code, 1, text)
            self.assertIn("would not hear each other", text)
            self.assertTrue(lab.watch(1, lambda: lab.formed() and paths_alive(lab)))

    def _refused_while_one_node_lacks_it(self, lab):
        for node in lab.nodes:
            node.write_passwords(OLD, NEW)
        self._reload(lab.fw1)
        code, text = lab.fw1.ctl("password", "switch")
        self.assertEqual(code, 1, text)
        self.assertIn("has not loaded", text)

    def _switch(self, lab):
        before = standing(lab)
        old = used(lab.fw1)
        code, text = lab.fw1.ctl("password", "switch")
        self.assertEqual(code, 0, text)
        self.assertTrue(lab.watch(2, lambda: standing(lab) == before and paths_alive(lab)), lab.evidence())
        self.assertEqual(used(lab.fw1), used(lab.fw2))
        self.assertNotEqual(used(lab.fw1), old)
        lab.wait("the tables to be proven equal under the new keys", lab.formed)
        code, text = lab.fw2.ctl("password", "switch")
        self.assertEqual(code, 0, text)
        self.assertIn("already", text)

    def _restart_in_the_middle(self, lab):
        new = used(lab.fw1)
        self._restart(lab)
        self.assertEqual([used(node) for node in lab.nodes], [new, new])

    def _reload(self, node):
        code, text = node.ctl("reload")
        self.assertEqual(code, 0, text)

    def _restart(self, lab):
        backup = lab.backup()
        self.assertEqual(backup.terminate(AGENT), 0)
        backup.start(AGENT)
        lab.wait_formed()


def standing(lab):
    return [(node.role(), node.status()["epoch"]) for node in lab.nodes]


def paths_alive(lab):
    return all(path["alive"] for node in lab.nodes for path in node.status()["heartbeat_paths"])


def loaded(node):
    return len(node.status()["passwords"]["loaded"])


def used(node):
    return node.status()["passwords"]["node"]["used"]


if __name__ == "__main__":
    story.main()
