#!/usr/bin/python3
"""`hotpair top` against daemons that are only a script: a frame, and a terminal as a person has one.

    tests/ctl/test_top.py build/debug/tools/ctl/hotpair
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from fake_daemons import HOTPAIR, FakeDaemon, healthy

CHANGES = {"ok": True, "changes": [
    {"time": "2026-03-01T12:00:00.000Z", "from": "backup", "to": "primary", "epoch": 12, "kind": "failover",
     "reason": "fw2 silent for 41 ms", "total_ms": 3.2, "steps": []}]}


class Counting:
    """A data plane whose counters rise with each look."""

    def __init__(self):
        self.looks = 0

    def __call__(self, _):
        self.looks += 1
        return {"ok": True, "role": "primary", "counters": {name: 1000 * self.looks for name in (
            "creates_sent", "creates_applied", "updates_sent", "updates_applied", "deletes_sent", "deletes_applied",
            "frames_lost", "tx_bytes", "rx_bytes")}}


class TopTest(unittest.TestCase):
    def setUp(self):
        self.run_dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.run_dir.cleanup)

    def daemons(self, **more):
        self.counting = Counting()
        FakeDaemon(self.run_dir.name, "hotpaird", {"status": healthy(**more), "history": CHANGES})
        FakeDaemon(self.run_dir.name, "hotpair-dataplane", {"status": self.counting})


class Frame(TopTest):
    def once(self, *more):
        return subprocess.run([HOTPAIR, "--run-dir", self.run_dir.name, "top", "--once", *more], capture_output=True,
                              text=True, timeout=20)

    def test_a_frame_has_both_nodes_rates_paths_links_and_history(self):
        self.daemons()
        done = self.once()
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("fw1 is PRIMARY", "No alarms", "fw1 (this)", "fw2 (peer)", "1,234,567", "ha0", "ha1", "ens3f0",
                      "backup -> primary", "3.2 ms", "fw2 silent for 41 ms"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("\033", done.stdout)
        # 2000 created and applied in the 250 ms or more between the two looks.
        created = re.search(r"yes +0 / 0\.3 ms +([\d.]+) (k?)/s", done.stdout)
        self.assertTrue(created, done.stdout)
        self.assertTrue(100 < float(created[1]) * (1000 if created[2] else 1) <= 8000, created[0])

    def test_an_agent_that_is_away_is_said_so(self):
        done = self.once()
        self.assertEqual(done.returncode, 3)
        self.assertIn("hotpaird is not reachable", done.stdout)

    def test_what_comes_from_the_wire_cannot_command_the_terminal(self):
        self.daemons(warnings=["\033[2J"], alarms=[{"id": "HP-1", "kind": "x", "text": "a\033[2Jb"}])
        self.assertNotIn("\033", self.once().stdout)

    def test_without_a_terminal_it_says_what_to_use(self):
        done = subprocess.run([HOTPAIR, "--run-dir", self.run_dir.name, "top"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--once", done.stderr)


class Live(TopTest):
    def start(self, columns, rows, **environment):
        self.shown = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ.pop("NO_COLOR", None)
            os.environ.update(environment, TERM="xterm")
            self.resize(columns, rows, 1)
            os.execv(HOTPAIR, [HOTPAIR, "--run-dir", self.run_dir.name, "top", "--interval", "0.2"])
        self.pid, self.ended = pid, None
        self.addCleanup(self.kill)

    @staticmethod
    def resize(columns, rows, terminal):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self):
        os.close(self.terminal)
        if self.ended is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def until(self, done):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if done(self.shown):
                return
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError:  # it ended
                    break
        self.assertTrue(done(self.shown), self.shown[-2000:])

    def wait(self):
        self.until(lambda shown: "\033[?1049l" in shown)
        _, status = os.waitpid(self.pid, 0)
        self.ended = os.waitstatus_to_exitcode(status)
        return self.ended

    def lines(self, frame):
        plain = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", frame)
        return [line.rstrip("\r") for line in plain.split("\n")]

    def frames(self):
        return self.shown.split("\033[H")[1:]

    def test_it_goes_on_until_q_and_leaves_the_terminal_as_it_was(self):
        self.daemons()
        self.start(100, 40)
        self.until(lambda shown: shown.count("\033[H") >= 3)
        self.assertIn("\033[?1049h", self.shown)
        self.assertIn("\033[32m", self.shown)  # a terminal has colours
        os.write(self.terminal, b"xq")
        self.assertEqual(self.wait(), 0)
        self.assertTrue(self.shown.rstrip().endswith("\033[?25h\033[?1049l"))

    def test_a_signal_ends_it_as_well(self):
        self.daemons()
        self.start(100, 40)
        self.until(lambda shown: "PRIMARY" in shown)
        os.kill(self.pid, signal.SIGTERM)
        self.assertEqual(self.wait(), 0)

    def test_it_fits_the_window_and_follows_it(self):
        self.daemons()
        self.start(60, 12)
        self.until(lambda shown: shown.count("\033[H") >= 3)
        for frame in self.frames()[:-1]:
            lines = self.lines(frame)
            self.assertLessEqual(len(lines), 12)
            self.assertLessEqual(max(map(len, lines[:-1])), 60)
        self.resize(120, 45, self.terminal)
        self.until(lambda shown: "fw2 silent for 41 ms" in shown)

    def test_without_colours_it_is_the_same(self):
        self.daemons()
        self.start(100, 40, NO_COLOR="1")
        self.until(lambda shown: shown.count("\033[H") >= 2)
        self.assertNotRegex(self.shown, r"\033\[[0-9;]*m")
        self.assertIn("fw1 is PRIMARY", self.shown)

    def test_an_agent_that_comes_back_is_shown_again(self):
        self.start(100, 40)
        self.until(lambda shown: "not reachable" in shown)
        self.daemons()
        self.until(lambda shown: "fw1 is PRIMARY" in shown)


if __name__ == "__main__":
    unittest.main(verbosity=2)
