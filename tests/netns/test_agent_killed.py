#!/usr/bin/python3
"""kill -9 of the primary's agent: a node without an agent keeps no addresses, and the peer takes over."""

import os
import signal
import unittest

import story
from lab import Lab
from node import AGENT, children_of
from traffic import Traffic


class AgentKilled(unittest.TestCase):
    def test_the_peer_takes_over_and_the_addresses_leave_the_dead_node(self):
        with Lab(story.build()) as lab:
            lab.form()
            old = lab.primary()
            heir = lab.other(old)
            held = old.addresses()
            self.assertIn("lan", held)
            with Traffic(lab) as traffic:
                traffic.mark("agent killed")
                old.signal(AGENT, signal.SIGKILL)
                lab.wait("the peer to take over", lambda: heir.role() == "primary")
                lab.wait("the addresses to leave the dead node", lambda: "lan" not in old.addresses(), timeout=2)
                self.assertEqual(heir.addresses()["lan"], held["lan"])
                report = traffic.report()
                self.assertTrue(report.all_alive, report)

                old.start(AGENT)
                lab.wait_formed()
                self.assertEqual(lab.primary(), heir, "the agent that came back must not take the role")

    def test_a_service_manager_that_aborts_all_of_it_leaves_the_warden_its_work(self):
        with Lab(story.build()) as lab:
            lab.form()
            old = lab.primary()
            # As systemd does when its watchdog ran out: the signal goes to the whole service.
            for child in children_of(old.pid(AGENT)):
                os.kill(child, signal.SIGABRT)
            old.signal(AGENT, signal.SIGABRT)
            lab.wait("the addresses to leave the dead node", lambda: "lan" not in old.addresses(), timeout=2)


if __name__ == "__main__":
    story.main()
