#!/usr/bin/python3
"""The management address follows the primary, and leads to either node's services by their ports of it."""

import subprocess
import sys
import unittest

import story
from lab import Lab
from network import die_with_parent, ip_batch, run

ADDRESS = "203.0.113.5"
MANAGEMENT = {"interface": "mgmt0", "addresses": [f"{ADDRESS}/24"], "ports": [22, 161]}

# A node's services: they say who they are, over TCP on 22 and over UDP on 161.
_SERVICES = """
import socket, sys, threading
name = sys.argv[1].encode()
tcp = socket.create_server(("0.0.0.0", 22))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 161))
def datagrams():
    while True:
        _, peer = udp.recvfrom(100)
        udp.sendto(name, peer)
threading.Thread(target=datagrams, daemon=True).start()
print("serving", flush=True)
while True:
    connection, _ = tcp.accept()
    connection.sendall(name)
    connection.close()
"""
_ASK = """
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as asked:
    asked.settimeout(1)
    asked.connect((address, port))
    if kind == "udp":
        asked.send(b"?")
    print(asked.recv(100).decode(), end="")
"""


def table(node):
    return subprocess.run(["ip", "netns", "exec", node.netns, "nft", "list", "table", "inet", "hotpair"],
                          capture_output=True, text=True)


class ManagementAccess(unittest.TestCase):
    def ask(self, kind, port):
        return subprocess.run(["ip", "netns", "exec", f"{self.lab.prefix}admin", sys.executable, "-c", _ASK, kind,
                               ADDRESS, str(port)], capture_output=True, text=True).stdout

    def everyone_is_reached(self):
        return [self.ask(kind, port) for kind, port in
                (("tcp", 2201), ("tcp", 2221), ("udp", 16101), ("udp", 16121))] == ["fw1", "fw2", "fw1", "fw2"]

    def serve(self, node):
        services = subprocess.Popen(["ip", "netns", "exec", node.netns, sys.executable, "-c", _SERVICES, node.name],
                                    stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.addCleanup(services.stdout.close)
        self.addCleanup(services.wait)
        self.addCleanup(services.kill)
        self.assertEqual(services.stdout.readline(), "serving\n")

    def test_either_node_is_reached_whoever_is_primary_and_nothing_is_left_behind(self):
        with Lab(story.build(), cluster={"management": MANAGEMENT}) as lab:
            self.lab = lab
            run("ip", "netns", "add", f"{lab.prefix}admin")
            self.addCleanup(run, "ip", "netns", "del", f"{lab.prefix}admin")
            lab.plug(f"{lab.prefix}admin", "admin", {"mgmt0": "mgmt"})
            ip_batch(["link set mgmt0 up", "address add 203.0.113.99/24 dev mgmt0"], netns=f"{lab.prefix}admin")
            lab.form()
            for node in lab.nodes:
                node.execute("nft", "add rule inet lab forward iifname mgmt0 oifname hotpair0 ct status dnat accept")
                self.serve(node)
            lab.wait("a path for the cluster network",
                     lambda: all(n.status()["cluster_network"]["path"] is not None for n in lab.nodes))
            first = lab.primary()
            self.assertEqual(first.status()["management"]["ports"][1],
                             {"service": 161, "chassis_1": 16101, "chassis_2": 16121})
            lab.wait("all services of both nodes to answer", self.everyone_is_reached)
            self.assertEqual(self.ask("tcp", 22), first.name, "the address itself is the primary's")

            first.execute("nft", "delete table inet hotpair")
            lab.wait("the table to be put back", lambda: table(first).returncode == 0)

            self.assertEqual(first.ctl("failover")[0], 0)
            lab.wait("the switchover", lambda: lab.primary() is lab.other(first))
            lab.wait("all services of both nodes to answer", self.everyone_is_reached)
            self.assertEqual(self.ask("tcp", 22), lab.other(first).name)

            first.terminate("hotpaird")
            self.assertNotEqual(table(first).returncode, 0, "removed on exit")
            killed = lab.other(first)
            killed.signal("hotpaird", 9)
            self.assertEqual(table(killed).returncode, 0)
            killed.run_inside(lab.program("hotpaird"), "--withdraw", "--config-dir", killed.config_dir, "--run-dir",
                              killed.run_dir, "--state-dir", killed.state_dir)
            self.assertNotEqual(table(killed).returncode, 0, "as systemd does after a crash")

    def test_a_service_whose_port_has_no_room_is_refused_by_name(self):
        with Lab(story.build(), cluster={"management": {**MANAGEMENT, "ports": [22, 8443]}}) as lab:
            lab.fw1.write_config()
            done = subprocess.run([lab.program("hotpaird"), "--check-config", "--config-dir", lab.fw1.config_dir],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("management.ports[1]: found '8443', allowed: at most 655: the nodes are reached at", done.stderr)


if __name__ == "__main__":
    story.main()
