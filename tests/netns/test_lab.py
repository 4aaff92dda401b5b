#!/usr/bin/python3
"""The lab itself, without daemons: it must notice what it claims to notice."""

import time
import unittest

import story
from lab import GATEWAYS, Lab
from network import ip_batch
from traffic import Traffic


class TheLab(unittest.TestCase):
    def test_a_firewall_that_lost_its_sessions_loses_every_connection(self):
        with Lab(story.build()) as lab:
            route_by_hand(lab.fw1)
            with Traffic(lab, tcp=20, settle_s=1) as traffic:
                traffic.mark("quiet")
                time.sleep(0.3)
                report = traffic.report()
                self.assertEqual((report.alive, report.lost), (20, 0), report)

                traffic.mark("sessions forgotten")
                lab.fw1.execute("conntrack", "-F")
                report = traffic.report()
                self.assertEqual(report.alive, 0, "the ruleset let a connection be picked up in mid-stream")

    def test_an_outage_is_measured_as_long_as_it_was(self):
        with Lab(story.build()) as lab:
            route_by_hand(lab.fw1)
            with Traffic(lab, tcp=20) as traffic:
                traffic.mark("cable out for 100 ms")
                time.sleep(0.1)
                out = lab.fw1.cable("lan", plugged=False)
                time.sleep(0.1)
                lab.fw1.cable("lan", plugged=True)
                outage_ms = (time.monotonic() - out) * 1e3  # the kernel takes up to a second to see a carrier
                time.sleep(0.3)
                report = traffic.report()
                self.assertTrue(report.all_alive, report)
                self.assertGreater(report.silence, 99)
                self.assertLess(report.silence, outage_ms + 30 + report.blur)

    def test_streams_keep_to_their_interval(self):
        with Lab(story.build()) as lab:
            route_by_hand(lab.fw1)
            with Traffic(lab, tcp=2, udp_interval_ms=20, settle_s=1) as traffic:
                began = time.monotonic()
                traffic.mark("a datagram each 20 ms")
                time.sleep(0.3)
                report = traffic.report()
                due = (time.monotonic() - began) / 0.02 + 1
                self.assertTrue(0 < report.sent <= len(report.udp) * due, report)

    def test_a_node_without_power_is_gone_and_comes_back_empty(self):
        with Lab(story.build()) as lab:
            node = lab.fw1
            route_by_hand(node)
            node.execute(lab.program("hotpair-bench"), "fill", "--sessions", "1000")
            self.assertGreaterEqual(node.conntrack_count(), 1000)
            node.power_off()
            node.power_on()
            self.assertEqual((node.conntrack_count(), node.addresses()), (0, {}))


def route_by_hand(node):
    """What a primary does, without one."""
    ip_batch([f"address add {address} dev {device}" + (" nodad" if ":" in address else "")
              for device, addresses in GATEWAYS.items() for address in addresses], netns=node.netns)


if __name__ == "__main__":
    story.main()
