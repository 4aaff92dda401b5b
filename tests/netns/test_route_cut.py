#!/usr/bin/python3
"""Both cables pulled in the middle of a push of 100,000 routes: the backup has none of them until it has all of them,
which is right after the cables are back."""

import time
import unittest

import story
from lab import SERVER4
from network import ip_batch
from route_lab import RouteLab, routes, synchronised

ROUTES = 100_000
SLOW = {"cluster_network": {"rate_mbps": 10}}  # the push takes seconds, so that there is a middle


def table(count):
    return [f"route add 10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32 via {SERVER4} proto bgp" for i in range(count)]


class RouteCut(unittest.TestCase):
    def test_a_push_that_is_cut_in_the_middle_is_not_half_applied_and_ends_after_the_cut(self):
        with RouteLab(story.build(), cluster=SLOW) as lab:
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            ip_batch(table(1), netns=primary.netns)
            lab.wait("the first route", lambda: len(synchronised(backup)) == 1 and lab.agreed())

            backup.terminate("hotpaird")
            ip_batch(table(ROUTES)[1:], netns=primary.netns)
            before = sent(primary)
            backup.start("hotpaird")
            lab.wait("the push to be under way", lambda: sent(primary) > before + 500_000, timeout=30, every=0.01)
            for device in ("ha0", "ha1"):
                primary.cable(device, plugged=False)
            arrived = sent(primary) - before
            self.assertTrue(lab.watch(2, lambda: len(synchronised(backup)) <= 1, every=0.2), "none of it before all of it")
            self.assertEqual(backup.role(), "backup", "the session-sync port tells that the peer lives")

            for device in ("ha0", "ha1"):
                primary.cable(device, plugged=True)
            healed = time.monotonic()
            counts = set()
            lab.wait("all of them", lambda: counts.add(routes(backup)["routes"]) or
                     routes(backup)["installed"] == ROUTES and lab.agreed(), timeout=60)
            took = time.monotonic() - healed
            print(f"{arrived} bytes of the push were sent before the cut; all {ROUTES} routes {took:.1f} s after it was healed")
            self.assertEqual(len(synchronised(backup)), ROUTES)
            self.assertLessEqual(counts - {0, 1}, {ROUTES}, "no table between nothing and the whole")


def sent(node):
    return node.status()["cluster_network"]["sent"]["bytes"]


if __name__ == "__main__":
    story.main()
