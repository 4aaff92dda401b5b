#!/usr/bin/python3
"""What is changed on the primary is checked, put in place and applied on the backup as a whole, or not at all."""

import time
import unittest

import story
from config_lab import ConfigLab, config, has, holds, sh
from machine import MachineWitness

MARK_S = 2.0  # of 10 MB, from the first byte on
WRITTEN_S = 0.25  # what writing them takes at most where there is time for it


class ConfigSync(unittest.TestCase):
    def test_a_change_arrives_whole_and_is_applied_and_a_bad_one_leaves_everything_as_it_was(self):
        with ConfigLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()

            sh(primary, "umask 027; mkdir /mnt/conf/d; echo one >/mnt/conf/d/a; ln -s /nowhere /mnt/conf/link; "
                        "chown 7:8 /mnt/conf/d/a; echo x >/mnt/conf/.a.swp")
            lab.wait("the files to arrive", lambda: has(backup, "/mnt/conf/d/a", "one\n"))
            lab.wait("both to agree", lab.agreed)
            self.assertEqual(sh(backup, "stat -c '%a %u %g' /mnt/conf/d/a /mnt/conf/d; readlink /mnt/conf/link"),
                             "640 7 8\n750 0 0\n/nowhere\n")
            self.assertFalse(holds(backup, "test -e /mnt/conf/.a.swp"), "ignored")

            sh(primary, "echo 'router-id 10.0.0.{{chassis_id}}' >/mnt/own.conf.template")
            lab.wait("each node's own file", lambda: has(backup, "/mnt/own.conf", f"router-id 10.0.0.{backup.chassis}\n"))

            sh(primary, "echo 'table inet synced { chain c { counter; }; }' >/mnt/rules.nft")
            lab.wait("the ruleset to be in the backup's kernel", lambda: holds(backup, "nft list chain inet synced c"))

            sh(primary, "echo 'table inet synced { chain c { nonsense; }; }' >/mnt/rules.nft")
            lab.wait("the check to refuse it", lambda: "check of /mnt/rules.nft refused it" in config(primary)["error"])
            self.assertTrue(holds(backup, "grep -q counter /mnt/rules.nft"))
            self.assertTrue(any("not in sync" in w for w in primary.status()["warnings"]))
            sh(primary, "echo 'table inet synced { chain c { counter; }; }' >/mnt/rules.nft")
            lab.wait("both to agree again", lab.agreed)

            for what, saying in (("fail", "applying /mnt/conf failed"), ("hang", "ran longer than 2000 ms")):
                sh(backup, f"touch /mnt/{what}")
                sh(primary, f"echo {what} >/mnt/conf/d/a; echo {what} >/mnt/conf/other")
                lab.wait(f"an apply command that does {what} to be named",
                         lambda: saying in config(primary)["error"] and "everything was put back" in config(primary)["error"])
                self.assertTrue(has(backup, "/mnt/conf/d/a", "one\n"))
                self.assertFalse(holds(backup, "test -e /mnt/conf/other"))
                self.assertEqual((config(backup)["in_sync"], config(primary)["in_sync"]), (0, 0))
                self.assertEqual(backup.ctl("config", "checksum")[0], 1)
                sh(backup, f"rm /mnt/{what}")
                sh(primary, "echo one >/mnt/conf/d/a; rm /mnt/conf/other")
                lab.wait("both to agree again", lab.agreed)

            with MachineWitness() as machine:
                began = time.monotonic()
                sh(primary, "for i in 0 1 2 3 4 5 6 7 8 9; do head -c 1000000 /dev/urandom >/mnt/conf/big$i; done")
                written = time.monotonic() - began
                lab.wait("10 MB to be applied", lambda: holds(backup, "test -e /mnt/conf/big9") and lab.agreed())
                took = time.monotonic() - began
            print(f"10 MB applied on the backup {took:.2f} s after the first byte was written, the last one after {written:.2f} s; "
                  f"the machine itself stood still for {machine.longest_ms():.0f} ms at most")
            # A machine that has no time to write them is given longer, in proportion.
            self.assertLessEqual(took, MARK_S * max(1, written / WRITTEN_S))
            self.assertEqual(primary.ctl("config", "checksum")[0], 0)

            sh(primary, "rm -r /mnt/conf/d")
            lab.wait("the removal to arrive", lambda: not holds(backup, "test -e /mnt/conf/d"))


if __name__ == "__main__":
    story.main()
