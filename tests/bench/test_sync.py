#!/usr/bin/env python3
"""hotpair-bench sync measures what it says: every delta told is applied, tables end up equal, reports are whole."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/tools/bench/hotpair-bench"
if "HOTPAIR_BUILD" in os.environ:
    PROGRAM = os.path.join(os.environ["HOTPAIR_BUILD"], "tools/bench/hotpair-bench")


def run(*options):
    return subprocess.run([PROGRAM, "sync", "--no-pin", "--most-seconds", "60", *options], capture_output=True, text=True,
                          timeout=100)


class Sync(unittest.TestCase):
    def test_the_tables_end_up_equal_also_when_frames_are_lost_and_overtaken(self):
        for faults in ((), ("--loss", "3", "--reorder", "5"), ("--unsealed", "--ipv6", "30", "--nat", "40")):
            done = run("--sessions", "20000", "--json", "-", *faults)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            self.assertTrue(told["equal"])
            self.assertEqual(told["sessions_primary"], told["sessions_backup"])
            self.assertEqual([p["name"] for p in told["phases"]], ["create", "update", "mix", "delete"])

    def test_records_keep_to_their_sizes_and_sessions_to_theirs(self):
        told = json.loads(run("--sessions", "50000", "--json", "-").stdout)
        create, update, _, delete = told["phases"]
        self.assertLess(create["body_bytes_a_delta"], 24)
        self.assertLess(update["body_bytes_a_delta"], 10)
        self.assertLess(delete["body_bytes_a_delta"], 6)
        self.assertLess(told["bytes_a_session_primary"], 80)

    def test_the_report_is_a_page_with_three_plots(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            self.assertEqual(run("--sessions", "20000", "--html", str(page)).returncode, 0)
            text = page.read_text()
        self.assertEqual(text.count("<svg"), 3)
        for part in text.split("<svg")[1:]:
            xml.etree.ElementTree.fromstring("<svg" + part.split("</svg>")[0] + "</svg>")

    def test_two_processes_over_memif_end_up_equal(self):
        if not glob.glob("/usr/lib/*/dpdk/pmds-*/librte_net_memif.so*"):
            self.skipTest("DPDK's memif driver (librte-net-memif) is not installed")
        with tempfile.TemporaryDirectory() as folder:
            def device(role):
                return f"net_memif0,role={role},id=0,socket={folder}/memif.sock,socket-abstract=no"
            backup = subprocess.Popen([PROGRAM, "sync", "--no-pin", "--most-seconds", "60", "--sessions", "20000",
                                       "--role", "backup", "--device", device("server"), "--json", folder + "/backup.json"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                while not Path(folder, "memif.sock").exists():  # a client does not wait for its server
                    self.assertIsNone(backup.poll(), "the backup's end has ended")
                    time.sleep(0.01)
                done = run("--sessions", "20000", "--phases", "create,update", "--role", "primary", "--device",
                           device("client"), "--json", "-")
                _, words = backup.communicate(timeout=60)
            finally:
                backup.kill()
            self.assertEqual((done.returncode, backup.returncode), (0, 0), done.stderr + words)
            told, taken = json.loads(done.stdout), json.loads(Path(folder, "backup.json").read_text())
        self.assertTrue(told["equal"])
        self.assertEqual(told["sessions_primary"], taken["sessions_backup"])
        self.assertGreaterEqual(taken["sessions_backup"], 20000)

    def test_mistakes_are_named(self):
        for options, words in ((("--mix", "50:50:50"), "sum is 100"), (("--phases", "create,jump"), "jump"),
                               (("--role", "primary"), "needs --device"), (("--sessions", "0"), "range")):
            done = run(*options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
