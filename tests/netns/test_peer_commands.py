#!/usr/bin/python3
"""Root on one node runs commands on the other with nothing set up but the pair itself."""

import os
import pty
import subprocess
import time
import unittest

import story
from lab import Lab


class PeerCommands(unittest.TestCase):
    def test_streams_statuses_and_signals_cross_and_a_node_may_forbid_it(self):
        with Lab(story.build()) as lab:
            lab.form()
            one, two = lab.fw1, lab.fw2
            for node in lab.nodes:
                lab.wait("a path", lambda n=node: n.status()["cluster_network"]["path"] is not None)

            lab.wait("the peer to listen", lambda: peer(one, "exec", "true").returncode == 0)
            done = peer(one, "exec", "ip", "-4", "-o", "address", "show", "dev", "hotpair0")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("169.254.200.30/30", done.stdout, "it ran there")

            done = peer(one, "exec", "sh", "-c", "cat; echo wrong >&2; exit 7", input="to be copied\n")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "to be copied\n", "wrong\n"))
            big = "0123456789abcdef" * 65536
            self.assertEqual(peer(one, "exec", "cat", input=big).stdout, big)
            self.assertEqual(peer(one, "exec", "sh", "-c", "kill -TERM $$").returncode, 128 + 15)
            self.assertEqual(peer(one, "exec", "/no/such/program").returncode, 127)
            self.assertEqual(peer(one, "exec", "/etc").returncode, 126)

            with subprocess.Popen(command(one, "exec", "sh", "-c", "trap 'echo caught; exit 3' INT; echo on; "
                                          "while :; do sleep 0.05; done"), stdout=subprocess.PIPE, text=True) as running:
                self.assertEqual(running.stdout.readline(), "on\n")
                running.send_signal(2)
                self.assertEqual((running.stdout.readline(), running.wait(timeout=10)), ("caught\n", 3))

            self.assertEqual(on_a_terminal(one, "tty; stty size; exit 5\n"), 5)

            two.write_config(node={"peer_exec": False})
            self.assertEqual(two.ctl("reload")[0], 0)
            done = peer(one, "exec", "true")
            self.assertEqual(done.returncode, 1)
            self.assertIn("peer_exec is false", done.stderr)
            self.assertEqual(peer(two, "exec", "true").returncode, 0, "the other way is the other node's to decide")
            self.assertIn("the peer's root runs here", two.log("hotpaird"))


def command(node, *arguments):
    return [node.lab.program("hotpair"), "--run-dir", node.run_dir, "peer", *arguments]


def peer(node, *arguments, **options):
    options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
    if options["stdin"] is None:
        del options["stdin"]
    return subprocess.run(command(node, *arguments), capture_output=True, text=True, timeout=30, **options)


def on_a_terminal(node, typed):
    """The exit status of a peer shell that a person types into; checks that it is on a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command(node)[0], command(node, "shell"))
    os.write(terminal, typed.encode())
    said = b""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        said += chunk
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert b"/dev/pts/" in said, said
    return status


if __name__ == "__main__":
    story.main()
