#!/usr/bin/python3
"""With a witness a full cut makes a second primary only where the witness answers, and without it none."""

import unittest

import story
from lab import Lab
from network import ip_batch

WITNESS = "203.0.113.99"
CABLES = ("ha0", "ha1", "dps0")
CLUSTER = {"election": {"split_brain": "witness", "witness": WITNESS}}


class Witness(unittest.TestCase):
    def test_a_silent_peer_is_succeeded_only_once_the_witness_answers(self):
        with Lab(story.build(), cluster=CLUSTER) as lab:
            # The witness is a host on the management network.
            ip_batch([f"link add name witness type veth peer name witness-port",
                      "link set witness-port master mgmt up", "link set witness up",
                      f"address add {WITNESS}/24 dev witness"], netns=lab.prefix + "sw")
            for node in lab.nodes:
                node.execute("ip", "address", "add", f"203.0.113.{10 + node.chassis}/24", "dev", "mgmt0")
            lab.form()
            primary, backup = lab.primary(), lab.backup()
            lab.wait("both to hear the witness", lambda: all(answers(node) for node in lab.nodes))

            backup.cable("mgmt0", plugged=False)
            lab.wait("the backup to miss the witness", lambda: answers(backup) is False)
            for device in CABLES:
                primary.cable(device, plugged=False)
            lab.wait("the backup to say why it stays", lambda: WITNESS in backup.ctl("status")[1]
                     and "suppressed" in backup.ctl("status")[1])
            self.assertTrue(lab.watch(2, lambda: backup.role() == "backup"))

            backup.cable("mgmt0", plugged=True)
            lab.wait("the backup to take over by the witness's answer", lambda: backup.role() == "primary")
            self.assertIn(f"witness {WITNESS} answers", backup.status()["node"]["reason"])

            primary.cable("ha0", plugged=True)
            lab.wait("one of the two to step down",
                     lambda: sorted([primary.role(), backup.role()]) == ["backup", "primary"])
            self.assertGreater(sum(node.status()["dual_primary_episodes"] for node in lab.nodes), 0)


def answers(node):
    return node.status()["witness"]["answers"]


if __name__ == "__main__":
    story.main()
