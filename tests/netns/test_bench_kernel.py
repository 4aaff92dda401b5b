#!/usr/bin/python3
"""hotpair-bench measures from kernel to kernel in namespaces of its own, and leaves nothing behind."""

import glob
import json
import os
import subprocess
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


if __name__ == "__main__":
    story.main()
