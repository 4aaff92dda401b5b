#!/usr/bin/python3
"""Both nodes' files are changed, cables are pulled, disks are full: nothing is lost and nothing is half there."""

import unittest

import story
from config_lab import ConfigLab, config, has, holds, sh


class ConfigConflicts(unittest.TestCase):
    def test_what_the_backup_changed_is_named_and_a_conflict_keeps_both_versions(self):
        with ConfigLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            sh(primary, "echo one >/mnt/conf/a; echo one >/mnt/conf/b")
            lab.wait("both to agree", lambda: has(backup, "/mnt/conf/b", "one\n") and lab.agreed())

            sh(backup, "echo local >/mnt/conf/a")
            lab.wait("the drift to be named", lambda: config(primary)["changed_on_backup"] == ["/mnt/conf/a"])
            self.assertTrue(has(backup, "/mnt/conf/a", "local\n"), "reported, and left")
            for node, value in ((primary, 1), (backup, 0)):
                sh(node, f"sysctl -q -w net.ipv4.conf.all.send_redirects={value}")
            status, text = primary.ctl("config", "diff")
            self.assertEqual(status, 1, text)
            self.assertIn("-local\n+one\n", text)
            self.assertRegex(text, r"sysctl net\.ipv4\.conf\.all\.send_redirects +1 +0\n", "and where the boxes differ")
            self.assertEqual(primary.ctl("config", "push")[0], 0)
            self.assertTrue(has(backup, "/mnt/conf/a", "one\n"))
            self.assertTrue(holds(backup, "grep -q local /mnt/conf/a.hotpair-conflict-*"))
            lab.wait("both to agree", lab.agreed)

            sh(backup, "echo wanted >/mnt/conf/a")
            lab.wait("the drift to be named", lambda: config(primary)["changed_on_backup"] == ["/mnt/conf/a"])
            self.assertEqual(primary.ctl("config", "pull")[0], 0)
            self.assertTrue(has(primary, "/mnt/conf/a", "wanted\n"))

            cut(lab, primary)
            sh(primary, "echo mine >/mnt/conf/b; echo gone-by >/mnt/conf/missed")
            sh(backup, "echo theirs >/mnt/conf/b")
            lab.wait("the cut to be named", lambda: config(primary)["error"])
            heal(lab, primary)
            lab.wait("the conflict to be named", lambda: config(primary)["conflicts"] == ["/mnt/conf/b"])
            self.assertTrue(has(backup, "/mnt/conf/b", "mine\n"))
            self.assertTrue(holds(backup, "grep -q theirs /mnt/conf/b.hotpair-conflict-*"), "the other is not lost")
            self.assertTrue(has(backup, "/mnt/conf/missed", "gone-by\n"), "a node that was away gets what it missed")

    def test_a_push_that_is_cut_in_the_middle_or_finds_no_room_changes_nothing(self):
        with ConfigLab(story.build(), state_size="12m", backup_changes="revert") as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            sh(primary, "echo one >/mnt/conf/a")
            lab.wait("both to agree", lambda: has(backup, "/mnt/conf/a", "one\n") and lab.agreed())

            before = primary.status()["cluster_network"]["sent"]["bytes"]
            sh(primary, "echo two >/mnt/conf/a; head -c 4000000 /dev/urandom >/mnt/conf/big")
            lab.wait("the push to be under way",
                     lambda: primary.status()["cluster_network"]["sent"]["bytes"] > before + 300_000, every=0.002)
            cut(lab, primary)
            self.assertTrue(lab.watch(1, lambda: has(backup, "/mnt/conf/a", "one\n")), "none of it before all of it")
            heal(lab, primary)
            lab.wait("all of it to arrive", lambda: has(backup, "/mnt/conf/a", "two\n") and lab.agreed(), timeout=30)
            self.assertEqual(sh(backup, "sha256sum </mnt/conf/big"), sh(primary, "sha256sum </mnt/conf/big"))

            sh(primary, "echo three >/mnt/conf/a; head -c 14000000 /dev/urandom >/mnt/conf/huge")
            lab.wait("the full disk to be named", lambda: "No space left on device" in config(primary)["error"])
            self.assertTrue(has(backup, "/mnt/conf/a", "two\n"))
            self.assertFalse(holds(backup, "test -e /mnt/conf/huge"))
            sh(primary, "rm /mnt/conf/huge")
            lab.wait("what fits to arrive", lambda: has(backup, "/mnt/conf/a", "three\n"))

            sh(backup, "echo local >/mnt/conf/a")
            lab.wait("the change to be put back", lambda: has(backup, "/mnt/conf/a", "three\n"))


def cut(lab, node):
    for device in ("ha0", "ha1"):
        node.cable(device, plugged=False)


def heal(lab, node):
    for device in ("ha0", "ha1"):
        node.cable(device, plugged=True)


if __name__ == "__main__":
    story.main()
