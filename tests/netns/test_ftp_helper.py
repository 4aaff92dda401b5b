#!/usr/bin/python3
"""Active FTP through a translating firewall lives through a power loss: the helper, the data connection it expects,
and the sequence numbers that its rewriting has moved."""

import json
import socket
import unittest

import story
from lab import CLIENT4, SERVER4, Lab
from network import run, socket_in

# The helper is given by rule, as it must be on current kernels. Nothing lets the server begin a connection: its
# data connection passes as related to the client's, or not at all.
RULES = """
table inet ftp {
  ct helper ftp { type "ftp" protocol tcp; }
  chain prerouting {
    type filter hook prerouting priority filter;
    tcp dport 21 ct helper set "ftp"
  }
}
"""
SHARED = "198.51.100.1"


class Ends:
    """An FTP client and server, as far as PORT needs them. The client asks, the server connects to where it is told."""

    def __init__(self, lab):
        self._lab = lab
        with self._socket("server") as listener:
            listener.bind((SERVER4, 21))
            listener.listen(1)
            self.client = self._socket("client")
            self.client.connect((SERVER4, 21))
            self.server = listener.accept()[0]
            self.server.settimeout(10)
        self.command(b"USER lab")  # the helper reads on from the end of a line

    def _socket(self, place):
        made = socket_in(self._lab.prefix + place, socket.AF_INET, socket.SOCK_STREAM)
        made.settimeout(10)
        return made

    def close(self):
        self.client.close()
        self.server.close()

    def command(self, line):
        """Says a line on the control connection; returns it as the server reads it."""
        self.client.sendall(line + b"\r\n")
        return self._line(self.server)

    def answer(self, line):
        self.server.sendall(line + b"\r\n")
        return self._line(self.client)

    def announce(self):
        """The client listens and says where. Returns its listener, and where the server is told to connect."""
        listener = self._socket("client")
        listener.bind((CLIENT4, 0))
        listener.listen(1)
        port = listener.getsockname()[1]
        told = self.command(f"PORT {CLIENT4.replace('.', ',')},{port >> 8},{port & 255}".encode())
        numbers = told.split()[1].decode().split(",")
        return listener, (".".join(numbers[:4]), (int(numbers[4]) << 8) + int(numbers[5]))

    def transfer(self, listener, where):
        """The server opens the data connection and sends a file; returns what the client gets."""
        with listener, self._socket("server") as data:
            data.connect(where)
            got, _ = listener.accept()
            with got:
                got.settimeout(10)
                data.sendall(b"a file")
                return got.recv(100)

    @staticmethod
    def _line(end):
        got = b""
        while not got.endswith(b"\r\n"):
            more = end.recv(1000)
            if not more:
                break
            got += more
        return got[:-2]


class FtpHelper(unittest.TestCase):
    def test_an_expected_data_connection_comes_through_the_new_primary(self):
        with Lab(story.build()) as lab:
            for node in lab.nodes:
                run("ip", "netns", "exec", node.netns, "nft", "-f", "-", stdin=RULES)
            lab.form()
            ends = Ends(lab)
            self.addCleanup(ends.close)
            self.assertEqual(ends.transfer(*ends.announce()), b"a file")  # with one firewall, as ever

            listener, where = ends.announce()
            self.assertEqual(where[0], SHARED, "the helper translates what the client says")
            backup, primary = lab.backup(), lab.primary()
            session = lab.wait("the backup to know what is expected", lambda: self.control(backup))
            self.assertEqual(session["helper"], "ftp")
            self.assertEqual([e["dport"] for e in session["expectations"]], [where[1]])
            self.assertGreater(session["sequence_adjustment"][0]["after"], 0, "the rewritten line is longer")
            self.assertIn("helper ftp, expects tcp", backup.ctl("sessions", "--port", "21")[1])

            primary.power_off()
            lab.wait("the backup to take over", lambda: backup.role() == "primary")

            self.assertEqual(ends.transfer(listener, where), b"a file")
            self.assertEqual(ends.command(b"NOOP"), b"NOOP")
            self.assertEqual(ends.answer(b"200 still here"), b"200 still here")
            listener, where = ends.announce()
            self.assertEqual(where[0], SHARED, "the helper works on")
            self.assertEqual(ends.transfer(listener, where), b"a file")

    @staticmethod
    def control(node):
        """The control session as the node's table has it, once all of it is known there."""
        sessions = json.loads(node.ctl("sessions", "--port", "21", "--json")[1] or "{}").get("sessions", [])
        return next((s for s in sessions if s["dport"] == 21 and s.get("expectations")
                     and s.get("sequence_adjustment")), None)


if __name__ == "__main__":
    story.main()
