#!/usr/bin/python3
"""hotpair-bench measures from kernel to kernel in namespaces of its own, and leaves nothing behind."""

import glob
import json
import os
import signal
import subprocess
import time
import unittest

import story


class BenchKernel(unittest.TestCase):
    def bench(self, *arguments):
        program = os.path.join(story.build(), "tools/bench/hotpair-bench")
        done = subprocess.run([program, *arguments, "--json", "-"], capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def tearDown(self):
        self.assertEqual(glob.glob("/tmp/hotpair-bench-*"), [])

    def test_every_session_made_in_one_kernel_arrives_in_the_other(self):
        figures = self.bench("kernel", "--sessions", "2048", "--rate", "10000")["hotpair"]
        self.assertEqual(figures["arrived"], 2048)
        self.assertGreater(figures["sessions_per_second"], 0)
        self.assertEqual(figures["latency"]["arrived"], figures["latency"]["sessions"])
        self.assertLessEqual(figures["latency"]["p50_us"], figures["latency"]["p99_us"])

    def test_connections_survive_a_power_loss_in_a_network_of_its_own(self):
        figures = self.bench("failover")["hotpair"]
        self.assertEqual(figures["alive"], figures["connections"])

    def test_a_fresh_backup_gets_what_the_primary_has_and_it_is_proven(self):
        figures = self.bench("bulk", "--sessions", "2048")
        self.assertLessEqual(figures["first_seconds"], figures["seconds"])
        self.assertLessEqual(figures["seconds"], figures["in_sync_seconds"])

    def test_sessions_that_begin_while_a_backup_is_filled_are_counted(self):
        figures = self.bench("bulk", "--sessions", "2048", "--meanwhile")
        self.assertGreater(figures["new_a_second_before"], 0)
        self.assertGreater(figures["new_a_second_meanwhile"], 0)

    def test_a_short_connection_is_followed_to_its_end(self):
        for which in ((), ("--assured",)):
            figures = self.bench("connections", "--rate", "500", "--seconds", "1", *which)["hotpair"]
            self.assertEqual(figures["connections"], 500)
            self.assertEqual(figures["left_at_primary"], figures["left_at_backup"])
            # Those of the last second and of the round trips; the others are taken out, and gone from the backup.
            self.assertLess(figures["left_at_backup"], 600)
            self.assertGreater(figures["left_at_backup"], 400)

    def test_one_that_is_killed_leaves_nothing_behind_either(self):
        before = self.limit()
        program = os.path.join(story.build(), "tools/bench/hotpair-bench")
        for end in (signal.SIGINT, signal.SIGKILL):
            running = subprocess.Popen([program, "bulk", "--sessions", str(before)], stderr=subprocess.DEVNULL)
            try:
                self.wait("the limit to be raised", lambda: self.limit() > before)
            finally:
                running.send_signal(end)
                running.wait()
            self.wait("the limit to be as it was", lambda: self.limit() == before)
            self.wait("the files to be gone", lambda: not glob.glob("/tmp/hotpair-bench-*"))

    @staticmethod
    def limit():
        with open("/proc/sys/net/netfilter/nf_conntrack_max") as file:
            return int(file.read())

    def wait(self, what, condition):
        end = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), end, f"waited 20 s for {what}")
            time.sleep(0.01)


if __name__ == "__main__":
    story.main()
