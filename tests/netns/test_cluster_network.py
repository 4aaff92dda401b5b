#!/usr/bin/python3
"""The two nodes share nothing but the heartbeat cables, and an ordinary TCP program runs between them all the same."""

import subprocess
import sys
import threading
import unittest

import story
from lab import Lab
from machine import MachineWitness
from network import die_with_parent

PORT = 5001
RATE = 100  # Mbit/s, cluster_network's default

_SINK = """
import socket, sys
family, _, _, _, address = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_STREAM)[0]
with socket.create_server(address, family=family) as server:
    print("listening", flush=True)
    connection, _ = server.accept()
    total = 0
    while chunk := connection.recv(1 << 16):
        total += len(chunk)
    print(total, flush=True)
"""
_SOURCE = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as connection:
    block, left = bytes(1 << 16), int(sys.argv[3])
    while left > 0:
        connection.sendall(block[:left]); left -= len(block)
"""


class ClusterNetwork(unittest.TestCase):
    def test_a_big_transfer_crosses_it_survives_a_pulled_cable_and_delays_no_heartbeat(self):
        with Lab(story.build()) as lab:
            lab.form()
            one, two = lab.fw1, lab.fw2
            network = one.status()["cluster_network"]
            self.assertEqual((network["local"]["ipv4"], network["peer"]["ipv4"], network["mtu"]),
                             ("169.254.200.29", "169.254.200.30", 1406))
            for node in lab.nodes:
                lab.wait("a path", lambda n=node: n.status()["cluster_network"]["path"] == 0)

            size = 10 * RATE * 1_000_000 // 8 // 2  # five seconds' worth
            late = {n.name: lateness(n) for n in lab.nodes}
            with MachineWitness() as machine:
                received = transfer(one, two, network["peer"]["ipv4"], size)
            print(f"latest heartbeats of 10 s: { {n.name: latest_ms(n) for n in lab.nodes} } ms; the machine itself "
                  f"stood still for {machine.longest_ms():.1f} ms at most")
            self.assertEqual(received, size)
            if machine.longest_ms() < 4:
                self.assertEqual({n.name: lateness(n) for n in lab.nodes}, late, "no heartbeat later than 5 ms")

            puller = threading.Timer(1, lambda: one.cable("ha0", plugged=False))
            puller.start()
            self.assertEqual(transfer(two, one, network["local"]["ipv4"], size // 2), size // 2)
            puller.join()
            status = one.status()["cluster_network"]
            self.assertEqual(status["path"], 1, status)

            scope = "%hotpair0"
            self.assertEqual(transfer(one, two, network["peer"]["ipv6"] + scope, 1_000_000), 1_000_000)
            self.assertTrue(all(n.status()["in_sync"] for n in lab.nodes), "it is no session of the pair's traffic")


def transfer(source, sink, address, size):
    """Bytes that arrived of `size` sent by one node to the other's address."""
    with subprocess.Popen(inside(sink, _SINK, address, PORT), stdout=subprocess.PIPE, text=True,
                          preexec_fn=die_with_parent) as server:
        assert server.stdout.readline() == "listening\n"
        subprocess.run(inside(source, _SOURCE, address, PORT, size), check=True, timeout=60)
        return int(server.stdout.readline())


def inside(node, script, *arguments):
    return ["ip", "netns", "exec", node.netns, sys.executable, "-c", script, *map(str, arguments)]


def lateness(node):
    """How many heartbeats were later than half an interval, 5 ms, on each cable."""
    return [path["jitter"]["late"] for path in node.status()["heartbeat_paths"] if path["kind"] == "heartbeat"]


def latest_ms(node):
    return [round(path["jitter"]["recent_max_ms"], 1) for path in node.status()["heartbeat_paths"]
            if path["kind"] == "heartbeat"]


if __name__ == "__main__":
    story.main()
