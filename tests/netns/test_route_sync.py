#!/usr/bin/python3
"""The backup's kernel holds the primary's routes and neighbours: packets flow after a takeover before any daemon runs."""

import subprocess
import sys
import unittest

import story
from lab import CLIENT4, SERVER4, SERVER6
from network import ip_batch
from route_lab import RouteLab, neighbours, routes, synchronised

FAR4, FAR6 = "203.0.113.9", "2001:db8:9::9"  # behind the server, which is the router on the WAN


# A host that refuses a connection was reached, and so were we.
_KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), timeout=1)
except ConnectionRefusedError:
    pass
"""


def reaches(lab, address):
    return subprocess.run(["ip", "netns", "exec", f"{lab.prefix}client", sys.executable, "-c", _KNOCK, address],
                          capture_output=True).returncode == 0


class RouteSync(unittest.TestCase):
    def test_routes_follow_the_primary_outlive_it_by_ttl_and_never_touch_others(self):
        with RouteLab(story.build()) as lab:
            ip_batch([f"address add {FAR4}/32 dev lo", f"address add {FAR6}/128 dev lo"], netns=f"{lab.prefix}server")
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            ip_batch([f"route add 203.0.113.0/24 via {SERVER4} proto bgp metric 20 mtu 1400",
                      f"route add 2001:db8:9::/48 via {SERVER6} proto bgp metric 20",
                      f"route add 10.1.0.0/16 proto static nexthop via {SERVER4} weight 3 nexthop via 192.0.2.77",
                      "route add blackhole 10.2.0.0/16 proto bgp table 100",
                      "route add blackhole 10.3.0.0/16 proto bgp",
                      f"route add 10.4.0.0/16 via {SERVER4} proto ospf"], netns=primary.netns)
            ip_batch(["route add blackhole 10.3.0.0/16 proto boot"], netns=backup.netns)
            self.assertTrue(reaches(lab, FAR4) and reaches(lab, FAR6))

            lab.wait("the routes to arrive", lambda: "10.1.0.0/16" in synchronised(backup) and lab.agreed())
            held = synchronised(backup)
            self.assertEqual(sorted(held), ["10.1.0.0/16", "203.0.113.0/24"], "of main, bgp and static alone")
            self.assertEqual((held["203.0.113.0/24"]["gateway"], held["203.0.113.0/24"]["metric"],
                              held["203.0.113.0/24"]["metrics"]), (SERVER4, 20, [{"mtu": 1400}]))
            self.assertEqual([(hop["gateway"], hop["dev"], hop["weight"]) for hop in held["10.1.0.0/16"]["nexthops"]],
                             [(SERVER4, "wan", 3), ("192.0.2.77", "lan", 1)])
            self.assertEqual(sorted(synchronised(backup, "-6")), ["2001:db8:9::/48"])
            self.assertGreaterEqual(routes(backup)["own"], 1, "10.3.0.0/16 is the backup's own and stays so")
            lab.wait("the client to be a neighbour of the backup's", lambda: CLIENT4 in neighbours(backup, "lan"))

            ip_batch(["route del 10.3.0.0/16 proto boot", "link set wan down", "link set wan up"], netns=backup.netns)
            lab.wait("what the kernel lost to be put back",
                     lambda: sorted(synchronised(backup)) == ["10.1.0.0/16", "10.3.0.0/16", "203.0.113.0/24"])
            ip_batch(["route del 10.3.0.0/16 proto bgp"], netns=primary.netns)
            lab.wait("the removal to arrive", lambda: "10.3.0.0/16" not in synchronised(backup))
            lab.wait("the pair in sync", lab.formed)

            primary.power_off()
            lab.wait("the takeover", lambda: backup.role() == "primary")
            self.assertTrue(reaches(lab, FAR4) and reaches(lab, FAR6), "before any daemon")
            lab.wait("the time they have left to be told", lambda: routes(backup)["ttl_left_ms"] is not None)
            self.assertIn("203.0.113.0/24", synchronised(backup))
            lab.wait("ttl to end them", lambda: not synchronised(backup) and not synchronised(backup, "-6"), timeout=5)

    def test_an_agent_that_ends_or_is_told_to_stop_leaves_none_behind(self):
        with RouteLab(story.build()) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            ip_batch([f"route add 203.0.113.0/24 via {SERVER4} proto bgp"], netns=primary.netns)
            lab.wait("the route to arrive", lambda: synchronised(backup))
            backup.terminate("hotpaird")
            self.assertEqual(synchronised(backup), {})

            backup.start("hotpaird")
            lab.wait("the route to be there again", lambda: synchronised(backup))
            for node in lab.nodes:
                node.write_config(cluster={"route_sync": {"enabled": False, "protocols": ["bgp"]}})
                self.assertEqual(node.ctl("reload")[0], 0)
            lab.wait("it to go", lambda: not synchronised(backup))
            self.assertNotIn("routes", backup.status())


if __name__ == "__main__":
    story.main()
