#!/usr/bin/python3
"""FRR on both nodes. Its bgpd speaks from the shared address, so only the primary's has a neighbour: the backup's kernel
has the routes from route sync, and packets follow them after a takeover until the new primary's bgpd has learned its own."""

import contextlib
import subprocess
import sys
import unittest

import frr
import story
from lab import SERVER4
from network import die_with_parent, ip_batch
from route_lab import RouteLab, synchronised

FAR, SHARED = "203.0.113.9", "198.51.100.1"
PREFIXES = ["203.0.113.0/24"] + [f"10.{i}.0.0/16" for i in range(1, 101)]

# A new connection every 20 ms: whoever refuses it was reached. Prints what was not reached, and when it ended.
_KNOCKS = """
import socket, sys, threading, time
failed = tried = 0
print("knocking", flush=True)
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
longest = 0.0
reached_at = time.monotonic()
while not stop.is_set():
    try:
        socket.create_connection((sys.argv[1], 9), timeout=0.2)
    except ConnectionRefusedError:
        now = time.monotonic()
        longest = max(longest, now - reached_at)
        reached_at = now
    except OSError:
        failed += 1
    tried += 1
    time.sleep(0.02)
longest = max(longest, time.monotonic() - reached_at)
print(tried, failed, longest, flush=True)
"""


def bgp(number, neighbour, peer_number, source, networks=()):
    announced = "".join(f"  network {network}\n" for network in networks)
    return (f"router bgp {number}\n bgp router-id {source}\n no bgp ebgp-requires-policy\n no bgp network import-check\n"
            f" timers bgp 1 3\n neighbor {neighbour} remote-as {peer_number}\n neighbor {neighbour} update-source {source}\n"
            f" neighbor {neighbour} timers connect 1\n address-family ipv4 unicast\n{announced} exit-address-family\n")


class Frr(unittest.TestCase):
    def test_new_connections_pass_from_the_takeover_on_and_bgp_takes_over_from_the_copied_routes(self):
        with contextlib.ExitStack() as stack:
            lab = stack.enter_context(RouteLab(story.build(), protocols=["bgp"], ttl="20s"))
            ip_batch([f"address add {FAR}/32 dev lo"], netns=f"{lab.prefix}server")
            provider = frr.Router(["ip", "netns", "exec", f"{lab.prefix}server"],
                                  bgp(65000, SHARED, 65001, SERVER4, networks=PREFIXES))
            stack.enter_context(provider).start()
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            for node in lab.nodes:
                stack.enter_context(frr.Router(node.inside(), bgp(65001, SERVER4, 65000, SHARED))).start()

            lab.wait("bgpd to bring the primary all routes", lambda: of_bgp(primary) == set(PREFIXES), timeout=30)
            lab.wait("the backup to hold them", lambda: set(synchronised(backup)) == set(PREFIXES))
            self.assertEqual(of_bgp(backup), set(), "its bgpd has no neighbour")
            lab.wait("the pair in sync", lab.formed)

            knocks = subprocess.Popen(["ip", "netns", "exec", f"{lab.prefix}client", sys.executable, "-c", _KNOCKS, FAR],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
            self.assertEqual(knocks.stdout.readline().strip(), "knocking")
            primary.power_off()
            lab.wait("the takeover", lambda: backup.role() == "primary")
            self.assertEqual(of_bgp(backup), set(), "bgpd learns them later")
            lab.wait("the new primary's bgpd to have learned them all", lambda: of_bgp(backup) == set(PREFIXES), timeout=60)
            lab.wait("the copies to be given up", lambda: not synchronised(backup), timeout=40)
            self.assertEqual(of_bgp(backup), set(PREFIXES))
            said, _ = knocks.communicate(timeout=10)
            tried, failed, longest = (float(word) for word in said.split())
            self.assertGreater(tried, 100)
            self.assertLess(longest, 0.6, f"{failed:.0f} of {tried:.0f} connections failed")


def of_bgp(node):
    return set(synchronised(node, protocol="bgp"))


if __name__ == "__main__":
    if not frr.installed():
        print("skipped: FRR is not installed (Debian: frr)")
        sys.exit(story.SKIPPED)
    story.main()
