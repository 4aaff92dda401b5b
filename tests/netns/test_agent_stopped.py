#!/usr/bin/python3
"""The primary's agent hangs (SIGSTOP): the peer takes over, and the hung node gives everything up although nobody in
it runs. When it goes on, it finds itself deposed."""

import signal
import unittest

import story
from lab import Lab
from node import AGENT
from traffic import Traffic


class AgentStopped(unittest.TestCase):
    def test_a_hung_agent_never_leaves_two_nodes_with_the_addresses(self):
        with Lab(story.build()) as lab:
            lab.form()
            old = lab.primary()
            heir = lab.other(old)
            with Traffic(lab) as traffic:
                traffic.mark("agent stopped")
                old.signal(AGENT, signal.SIGSTOP)
                lab.wait("the peer to take over", lambda: heir.role() == "primary")
                lab.wait("the addresses to leave the hung node", lambda: "lan" not in old.addresses(), timeout=2)

                old.signal(AGENT, signal.SIGCONT)
                lab.wait_formed()
                self.assertEqual(lab.primary(), heir, "the agent that went on must not take the role back")
                self.assertNotIn("lan", old.addresses())
                report = traffic.report()
                self.assertTrue(report.all_alive, report)


if __name__ == "__main__":
    story.main()
