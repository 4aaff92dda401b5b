#!/usr/bin/python3
"""What fails stops a rolling upgrade where nothing is lost, and it goes on from there: after a mend, an interruption, and
a restart of the node that drives it."""

import os
import signal
import unittest

import story
from network import child_of
from upgrade_lab import UpgradeLab


class UpgradeStops(unittest.TestCase):
    def test_a_command_that_fails_stops_it_at_the_backup_and_a_mend_lets_it_go_on(self):
        with UpgradeLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            epoch, process = primary.status()["epoch"], primary.pid("hotpaird")
            mended = os.path.join(lab.dir, "mended")
            command = f"test -e {mended} || {{ echo 'no such package' >&2; exit 7; }}; {lab.script}"
            failed = lab.upgrade(primary, "--command", command)
            self.assertEqual(failed.returncode, 1, failed)
            for words in (f"stopped at step 3 of 9, {backup.name}: the command runs", "ended with status 7", "| no such package",
                          f"{primary.name} is primary; {backup.name} is in maintenance", "hotpair upgrade --resume"):
                self.assertIn(words, failed.stderr)
            self.assertTrue(lab.formed())
            self.assertEqual((lab.primary(), primary.status()["epoch"]), (primary, epoch), "the primary was not touched")
            self.assertTrue(primary.alive("hotpaird") and primary.pid("hotpaird") == process)

            with self.subTest("both nodes' status says so"):
                lab.wait("it to be shown", lambda: primary.status().get("upgrade", {}).get("state") == "stopped" and
                         "upgrade" in backup.status())
                told = primary.status()
                self.assertEqual([told["upgrade"][key] for key in ("state", "driver", "step", "of", "title")],
                                 ["stopped", primary.name, 3, 9, f"{backup.name}: the command runs"])
                self.assertTrue(any("stopped at step 3 of 9" in warning for warning in told["warnings"]), told["warnings"])
                self.assertIn("next: ", primary.ctl("status")[1])
                lab.wait("the other node to know the step", lambda: "step" in backup.status()["upgrade"])
                self.assertEqual([backup.status()["upgrade"][key] for key in ("state", "driver", "at_driver", "step", "of")],
                                 ["elsewhere", primary.name, "stopped", 3, 9])
                self.assertIn("An upgrade STOPPED", backup.ctl("status")[1])

            with self.subTest("no other one begins meanwhile, on either node"):
                self.assertIn("stopped at step 3 of 9", lab.upgrade(primary, "--command", "true").stderr)
                self.assertIn(f"{backup.name} is in maintenance", lab.upgrade(backup, "--command", "true").stderr)
                self.assertEqual(backup.ctl("maintenance", "off")[0], 0)
                lab.wait("the primary to hear it", lambda: primary.status()["peer"]["forced"] == "none")
                refused = lab.upgrade(backup, "--command", "true")
                self.assertEqual(refused.returncode, 1)
                self.assertIn(f"another upgrade runs, begun on {primary.name}", refused.stderr)

            open(mended, "w").close()
            resumed = lab.upgrade(primary, "--resume")
            self.assertEqual(resumed.returncode, 0, resumed)
            self.assertIn("Both nodes are upgraded", resumed.stdout)
            lab.wait("no word of it to be left", lambda: not any("upgrade" in node.status() for node in lab.nodes))
            self.assertTrue(lab.formed())
            self.assertEqual((lab.primary(), backup.status()["protocol"]["agreed"]), (backup, 2))

    def test_it_outlives_an_interruption_and_a_power_loss_of_its_own_box(self):
        with UpgradeLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            go_on = os.path.join(lab.dir, "go-on-")
            command = f"while [ ! -e {go_on}$HOTPAIR_CHASSIS_ID ]; do sleep 0.1; done; {lab.script}"

            with lab.begin_upgrade(primary, "--command", command) as running:
                lab.wait("the backup's turn", lambda: self._runs_at(lab, primary, backup))
                os.kill(child_of(running.pid), signal.SIGINT)
                said = running.communicate(timeout=15)[0]
            self.assertEqual(running.returncode, 1, said)
            self.assertIn(f"the command goes on at {backup.name}", said)
            self.assertTrue(lab.formed() and lab.primary() is primary)
            open(f"{go_on}{backup.chassis}", "w").close()

            with lab.begin_upgrade(primary, "--resume") as running:
                lab.wait("its own turn", lambda: self._runs_at(lab, primary, primary), timeout=40)
                self.assertEqual(lab.primary(), backup, "the role went first")
                self.assertTrue(lab.run_of(primary)["driven"])
                self.assertIn("being driven by another", lab.upgrade(primary, "--resume").stderr)
                steps = lab.run_of(primary)["steps"]
                self.assertEqual((steps[2]["state"], steps[2]["attempts"]), ("done", 1), "it was followed, not run again")
                primary.power_off()
                running.wait(timeout=10)
            self.assertEqual(lab.primary(among=[backup]), backup)

            primary.power_on()
            lab.put_in_path(primary)
            primary.start_daemons()
            lab.wait_formed()
            open(f"{go_on}{primary.chassis}", "w").close()
            self.assertIn("is cut off", lab.upgrade(primary, "--status").stdout)
            resumed = lab.upgrade(primary, "--resume")
            self.assertEqual(resumed.returncode, 0, resumed)
            self.assertTrue(lab.formed())
            self.assertEqual((lab.primary(), primary.status()["protocol"]["agreed"]), (backup, 2))

    def test_what_is_given_up_leaves_the_pair_as_it_was_and_another_may_begin(self):
        with UpgradeLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            with lab.begin_upgrade(primary, "--command", "sleep 1000") as running:
                lab.wait("the backup's turn", lambda: self._runs_at(lab, primary, backup))
                os.kill(child_of(running.pid), signal.SIGHUP)  # as a terminal that is lost
                self.assertEqual(running.wait(timeout=15), 1)
            given_up = lab.upgrade(primary, "--abort")
            self.assertEqual(given_up.returncode, 0, given_up)
            self.assertIn("the command is ended: it was ended", given_up.stdout)
            self.assertEqual(lab.hotpair(backup, "peer", "exec", "true").returncode, 0)
            self.assertNotIn("sleep 1000", backup.run_inside("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
            lab.wait("maintenance to be over", lambda: all(n.status()["node"]["forced"] == "none" for n in lab.nodes))
            self.assertTrue(lab.formed() and lab.primary() is primary)
            self.assertEqual(lab.upgrade(backup, "--dry-run", "--command", "true").returncode, 0)
            self.assertEqual(lab.upgrade(backup, "--command", "true").returncode, 0)
            self.assertEqual(lab.upgrade(primary, "--abort").returncode, 1, "there is nothing to give up")

    @staticmethod
    def _runs_at(lab, driver, node):
        return lab.step_of(driver) == ("command", node.chassis, "running") and os.path.exists(
            os.path.join(node.state_dir, "upgrade", lab.run_of(driver)["id"], "pid"))


if __name__ == "__main__":
    story.main()
