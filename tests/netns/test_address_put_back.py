#!/usr/bin/python3
"""Somebody else manages the addresses too: what he takes from the primary is put back, what he gives a backup is told."""

import datetime
import re
import subprocess
import unittest

import story
from lab import Lab
from network import die_with_parent


class AddressPutBack(unittest.TestCase):
    def test_an_address_that_is_taken_from_the_primary_is_back_at_once_and_reported(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary = lab.primary()
            with Monitor(primary) as monitor:
                primary.execute("ip", "address", "del", "192.0.2.1/24", "dev", "lan")
                gone, back = monitor.await_gone_and_back("192.0.2.1/24")
            print(f"back after {(back - gone) * 1e3:.1f} ms")
            self.assertLess(back - gone, 0.05)
            lab.wait("the status to tell", lambda: any(
                "192.0.2.1/24 on lan was removed by somebody else" in w for w in primary.status()["warnings"]))
            self.assertEqual(primary.role(), "primary")

    def test_who_fights_over_it_is_answered_ever_more_slowly_and_the_address_is_there_in_the_end(self):
        with Lab(story.build()) as lab:
            lab.form()
            primary = lab.primary()
            primary.execute("bash", "-c", "end=$((SECONDS+2)); while ((SECONDS < end)); do "
                            "ip address del 192.0.2.1/24 dev lan 2>/dev/null; done; true")
            lab.wait("the address to be back", lambda: "192.0.2.1" in primary.addresses().get("lan", {}))
            self.assertLess(put_back(primary, "192.0.2.1/24"), 10)

    def test_an_address_that_is_given_to_the_backup_is_reported_with_what_to_do(self):
        with Lab(story.build()) as lab:
            lab.form()
            backup = lab.backup()
            backup.execute("ip", "address", "add", "192.0.2.1/24", "dev", "lan")
            advice = "ip address del 192.0.2.1/24 dev lan"
            lab.wait("the status to tell", lambda: any(advice in w for w in backup.status()["warnings"]))
            backup.execute(*advice.split())
            lab.wait("the warning to go", lambda: not any(advice in w for w in backup.status()["warnings"]))


class Monitor:
    """What `ip monitor` sees of a node's addresses, with the kernel's order and the second it was told."""

    def __init__(self, node):
        self._node = node
        self._program = subprocess.Popen(["ip", "-n", node.netns, "-o", "-tshort", "monitor", "address"],
                                         stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)

    def __enter__(self):
        # It hears only what comes after it has subscribed: something is done until it has.
        self._node.execute("bash", "-c", "for i in {1..100}; do ip address add 10.0.0.$i/32 dev lo; sleep 0.01; done")
        self._program.stdout.readline()
        return self

    def __exit__(self, *_):
        self._program.kill()
        self._program.communicate()

    def await_gone_and_back(self, address):
        gone = None
        for line in self._program.stdout:
            if f" {address} " not in line:
                continue
            at = datetime.datetime.fromisoformat(re.match(r"\[([^\]]+)\]", line).group(1)).timestamp()
            if "Deleted" in line:
                gone = at
            elif gone:
                return gone, at


def put_back(node, address):
    return next(row["put_back"] for row in node.status()["addresses"] if row["address"] == address)


if __name__ == "__main__":
    story.main()
