#!/usr/bin/python3
"""`hotpair migrate`: what becomes of keepalived.conf and conntrackd.conf, and what it says it could not carry.

    tests/ctl/test_migrate.py build/release/tools/ctl/hotpair
"""

import os
import subprocess
import sys
import tempfile
import unittest

HOTPAIR = sys.argv.pop(1) if len(sys.argv) > 1 else ""
if "HOTPAIR_BUILD" in os.environ:
    HOTPAIR = os.path.join(os.environ["HOTPAIR_BUILD"], "tools/ctl/hotpair")

KEEPALIVED = """! Edge firewall, box A
global_defs {
    router_id fw-a
    notification_email { noc@example.net }
    vrrp_garp_master_repeat 3
}
$LAN=10.20.0
vrrp_script chk_dns {
    script "/usr/local/sbin/check_dns --server 10.20.0.53"   # with arguments
    interval 2
    timeout 1
    fall 4
    rise 2
    weight -20
}
vrrp_script forgotten { script /bin/true }
vrrp_sync_group EDGE {
    group {
        LAN
        WAN
    }
    notify_master "/etc/conntrackd/primary-backup.sh primary"
    notify /usr/local/sbin/tell-nagios
}
vrrp_instance LAN
{
    state MASTER
    interface eth1
    virtual_router_id 51
    priority 150
    advert_int 0.5
    authentication { auth_type PASS
        auth_pass s3cret }
    virtual_ipaddress {
        $LAN.1/24 dev eth1 label eth1:vip
        ${LAN}.2
        2001:db8:20::1/64
    }
    track_interface {
        eth1
        eth3 weight -10
    }
    track_script { chk_dns }
    preempt_delay 60
    notify_master "/usr/local/sbin/primary up"
}
vrrp_instance WAN {
    state MASTER
    interface eth2
    virtual_router_id 52
    use_vmac vrrp.52
    virtual_ipaddress { 198.51.100.1/24 }
    virtual_routes { default via 198.51.100.254 }
    sprocket_count 7
}
virtual_server 10.20.0.1 80 { real_server 10.20.0.8 80 { weight 1 } }
"""

CONNTRACKD = """
Sync {
    Mode FTFW { ResendQueueSize 131072
        StartupResync yes }
    UDP {
        IPv4_address 172.16.0.1
        IPv4_Destination_Address 172.16.0.2
        Port 3780
        Interface eth9
        Checksum on
    }
    Options { ExpectationSync { ftp
            sip }
        TCPWindowTracking On }
}
General {
    HashSize 32768
    UNIX { Path /var/run/conntrackd.ctl }
    Filter From Kernelspace {
        Protocol Accept { TCP
            SCTP
            ICMP }
        Address Ignore {
            IPv4_address 127.0.0.1
            IPv4_address 172.16.0.0/24
            IPv6_address ::1
        }
        State Accept { ESTABLISHED CLOSED TIME_WAIT CLOSE_WAIT for TCP }
    }
}
"""


class Migrate(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def migrate(self, keepalived, conntrackd=None, *flags):
        files = []
        for name, text in (("keepalived.conf", keepalived), ("conntrackd.conf", conntrackd)):
            if text is not None:
                files.append(os.path.join(self.root, name))
                with open(files[-1], "w") as file:
                    file.write(text)
        run = subprocess.run([HOTPAIR, "migrate", *files, *flags], capture_output=True, text=True, timeout=30)
        return run.returncode, run.stdout, run.stderr

    def test_a_whole_pair_becomes_a_valid_cluster(self):
        code, yaml, notes = self.migrate(KEEPALIVED, CONNTRACKD)
        self.assertEqual(code, 0, notes)
        for piece in ("group_id: 51", 'group_name: "EDGE"', "override: true", "hold: 60s", "count: 3",
                      '{ interface: "eth1", addresses: ["10.20.0.1/24", "10.20.0.2/32", "2001:db8:20::1/64"] }',
                      '{ interface: "eth2", addresses: ["198.51.100.1/24"], virtual_mac: true }',
                      'interfaces: ["eth1", "eth2", "eth3"]',
                      'command: ["/usr/local/sbin/check_dns", "--server", "10.20.0.53"], fall: 4, interval: 2s, rise: 2, '
                      'timeout: 1s', '- ["/usr/local/sbin/primary", "up"]',
                      '- ["/usr/local/sbin/tell-nagios", "GROUP", "EDGE", "FAULT"]',
                      "from: assured", "icmp: true", "udp: false", "sctp: true", "expectations: true",
                      'exclude: ["172.16.0.0/24"]'):
            self.assertIn(piece, yaml)
        self.assertNotIn("primary-backup.sh", yaml)
        self.assertNotIn("forgotten", yaml)

    def test_what_was_not_carried_is_listed_with_its_line(self):
        _, _, notes = self.migrate(KEEPALIVED, CONNTRACKD)
        for line, words in ((4, "notification_email"), (14, "weight"), (16, "forgotten"), (22, "primary-backup.sh"), (30, "priority 150"),
                            (31, "advert_int 0.5"), (32, "authentication"), (35, "label eth1:vip"), (36, "prefix length"),
                            (41, "eth3 weight -10"), (50, "virtual_router_id 52"), (53, "virtual_routes"),
                            (54, "sprocket_count 7"), (56, "virtual_server")):
            found = [note for note in notes.split("\n") if f"keepalived.conf:{line}: " in note and words in note]
            self.assertTrue(found, f"line {line}: {words}\n{notes}")
        self.assertIn('net_af_packet0,iface=eth9', notes)
        self.assertIn("carried for all helpers", notes)

    def test_keepalived_alone_still_replicates_sessions_and_says_so(self):
        code, yaml, notes = self.migrate("vrrp_instance A { interface eth0\n virtual_router_id 7\n nopreempt\n"
                                         "virtual_ipaddress { 192.0.2.1/24 }\n}\n")
        self.assertEqual(code, 0)
        self.assertIn("enabled: true", yaml)
        self.assertNotIn("override", yaml)
        self.assertIn("no conntrackd.conf was given", notes)

    def test_the_result_can_go_into_a_file(self):
        path = os.path.join(self.root, "cluster.yaml")
        self.assertEqual(self.migrate(KEEPALIVED, CONNTRACKD, "-o", path)[:2], (0, ""))
        with open(path) as file:
            self.assertIn("group_id: 51", file.read())

    def test_what_the_schema_refuses_is_named_and_the_exit_status_is_1(self):
        code, yaml, notes = self.migrate("vrrp_instance A {\n interface eth0\n virtual_ipaddress { 192.0.2.0/24 }\n}\n")
        self.assertEqual(code, 1)
        self.assertIn("redundant_interfaces", notes)

    def test_broken_files_are_refused_with_their_line(self):
        for text, line in (("a {\n b\n", 1), ("a\n}\n", 2), ('a "b\n', 1), ("{\n}\n", 1), ("a {" * 40, 1), ("x\x01y\n", 1)):
            code, yaml, err = self.migrate(text)
            self.assertEqual((code, yaml), (1, ""), text)
            self.assertIn(f"keepalived.conf:{line}: ", err, text)

    def test_any_beginning_of_the_files_ends_in_an_answer(self):
        for end in range(0, len(KEEPALIVED), 37):
            self.assertIn(self.migrate(KEEPALIVED[:end])[0], (0, 1))


if __name__ == "__main__":
    unittest.main()
