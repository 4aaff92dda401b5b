#!/usr/bin/python3
"""`hotpair setup` in a temporary directory: what it asks, writes, refuses, and what the agent says of it.

    tests/ctl/test_setup.py build/release/tools/ctl/hotpair build/release/agent/daemon/hotpaird
"""

import os
import stat
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = sys.argv[1:3] if len(sys.argv) > 2 else ["", ""]
del sys.argv[1:3]
if "HOTPAIR_BUILD" in os.environ:
    PROGRAMS = [os.path.join(os.environ["HOTPAIR_BUILD"], part) for part in ("tools/ctl/hotpair", "agent/daemon/hotpaird")]
HOTPAIR, HOTPAIRD = PROGRAMS

FLAGS = ["--yes", "--chassis", "1", "--heartbeat", "ha0", "--heartbeat", "ha1:998", "--group-id", "7", "--group-name", "edge",
         "--address", "lan=192.0.2.1/24", "--address", "lan=2001:db8:1::1/64", "--address", "wan=198.51.100.1/24",
         "--interface", "lan=ens3f0"]

OTHERS = [{"7": "9"}.get(flag, flag) for flag in FLAGS]


class Setup(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def read(self, *parts):
        with open(self.path(*parts)) as file:
            return file.read()

    def setup(self, *flags, answers=""):
        run = subprocess.run([HOTPAIR, "setup", "--hotpaird", HOTPAIRD, "--config-dir", self.path("etc"), "--sysctl-dir",
                              self.path("sysctl.d"), "--unit-dir", self.path("system"), *flags],
                             input=answers, capture_output=True, text=True, timeout=30)
        return run.returncode, run.stdout, run.stderr

    def test_flags_alone_make_a_configuration_that_the_agent_takes(self):
        code, out, err = self.setup(*FLAGS, "--sync", "3b:00.1")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("configuration is good", out)
        self.assertIn("systemctl enable --now hotpair-dataplane hotpaird", out)
        self.assertIn('devices: ["0000:3b:00.1"]', self.read("etc", "node.yaml"))
        self.assertIn('"lan": "ens3f0"', self.read("etc", "node.yaml"))
        self.assertIn('addresses: ["192.0.2.1/24", "2001:db8:1::1/64"]', self.read("etc", "cluster.yaml"))

    def test_the_password_is_made_readable_by_root_alone_and_never_twice_the_same(self):
        self.setup(*FLAGS)
        first = self.read("etc", "password")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("etc", "password")).st_mode), 0o600)
        self.assertRegex(first, r"^[0-9a-f]{64}\n$")
        os.remove(self.path("etc", "password"))
        self.setup(*FLAGS, "--force")
        self.assertNotEqual(self.read("etc", "password"), first)

    def test_a_nic_for_dpdk_and_its_hugepages_are_there_after_a_reboot(self):
        self.setup(*FLAGS, "--sync", "0000:3b:00.1", "--hugepages", "64")
        self.assertIn("vm.nr_hugepages = 64", self.read("sysctl.d", "91-hotpair-hugepages.conf"))
        link = self.path("system", "hotpair-dataplane.service.wants", "hotpair-vfio@0000:3b:00.1.service")
        self.assertEqual(os.readlink(link), "/lib/systemd/system/hotpair-vfio@.service")

    def test_a_kernel_nic_needs_neither(self):
        self.setup(*FLAGS, "--sync", "ha2")
        self.assertIn('devices: ["net_af_packet0,iface=ha2"]', self.read("etc", "node.yaml"))
        self.assertIn("hugepages: false", self.read("etc", "node.yaml"))
        self.assertFalse(os.path.exists(self.path("sysctl.d")) or os.path.exists(self.path("system")))

    def test_a_kernel_nic_by_af_xdp_needs_rights_that_no_other_has(self):
        self.setup(*FLAGS, "--sync", "net_af_xdp0,iface=ha2", "--sync", "ha3")
        self.assertIn('devices: ["net_af_xdp0,iface=ha2", "net_af_packet0,iface=ha3"]', self.read("etc", "node.yaml"))
        rights = self.read("system", "hotpair-dataplane.service.d", "af-xdp.conf")
        self.assertIn("[Service]\nCapabilityBoundingSet=CAP_SYS_ADMIN\nSystemCallFilter=bpf\n", rights)
        self.assertFalse(os.path.exists(self.path("sysctl.d")))

    def test_files_that_are_there_are_not_written_over_unless_forced(self):
        self.setup(*FLAGS)
        before = {name: self.read("etc", name) for name in ("node.yaml", "cluster.yaml", "password")}
        code, _, err = self.setup(*OTHERS)
        self.assertEqual(code, 1)
        self.assertIn(self.path("etc", "cluster.yaml"), err)
        self.assertEqual(before, {name: self.read("etc", name) for name in before})
        self.assertEqual(self.setup(*OTHERS, "--force")[0], 0)
        self.assertIn("group_id: 9", self.read("etc", "cluster.yaml"))
        self.assertEqual(self.read("etc", "password"), before["password"], "the pair's password is kept")

    def test_a_mistake_writes_nothing_and_names_itself(self):
        code, _, err = self.setup(*FLAGS, "--address", "wan=198.51.100.300/24")
        self.assertEqual(code, 1)
        self.assertIn("198.51.100.300/24", err)
        self.assertFalse(os.path.exists(self.path("etc")))

    def test_the_other_box_takes_the_cluster_and_the_password_as_they_are(self):
        self.setup(*FLAGS)
        cluster, password = self.path("cluster.yaml"), self.path("password")
        os.rename(self.path("etc", "cluster.yaml"), cluster)
        os.rename(self.path("etc", "password"), password)
        code, out, _ = self.setup("--yes", "--chassis", "2", "--heartbeat", "eth7", "--cluster-from", cluster,
                                  "--password-from", password, "--force")
        self.assertEqual(code, 0, out)
        for name in ("cluster.yaml", "password"):
            self.assertEqual(self.read(name), self.read("etc", name))

    def test_without_flags_it_asks_and_asks_again_what_it_did_not_understand(self):
        code, out, err = self.setup(answers="3\n1\nha0 ha1\nha2\n7\nlan\nlan=192.0.2.1/24\nlan=ens3\n")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.count("that was not understood"), 2)
        self.assertIn("chassis_id: 1", self.read("etc", "node.yaml"))
        self.assertIn('"192.0.2.1/24"', self.read("etc", "cluster.yaml"))

    def test_answers_that_end_early_write_nothing(self):
        self.assertEqual(self.setup(answers="1\nha0\n")[0], 2)
        self.assertEqual(os.listdir(self.root), [])

    def test_yes_names_the_flags_that_lack(self):
        code, _, err = self.setup("--yes", "--chassis", "1", "--heartbeat", "ha0")
        self.assertEqual(code, 2)
        self.assertIn("--group-id --address", err)


if __name__ == "__main__":
    unittest.main()
