#!/usr/bin/env python3
"""A switch with a LAG to each machine (802.3ad), in place of a bridge, which never forwards a LACPDU.

    lacp_switch.py UPLINK OWN_LAN0_1 PEER_LAN0_1 OWN_LAN1_1 PEER_LAN1_1 ...     two ports a LAG, in the order of the machines

A port is the UDP port OWN; the machine's card listens on PEER. UPLINK is a network device of this namespace. A line
"PORT STATE" on standard input, PORT counted from 0, is carried out and answered by "done":

    up       carries frames, speaks LACP
    down     no carrier at the machine's end either (who pulls a cable says so here, as there is no wire that both see)
    silent   has carrier, and the switch does not speak LACP on it: it falls out of the LAG by its timeout
    apart    has carrier, and the switch offers it to another LAG (another key)

LACP after IEEE 802.1AX-2014, 6.4: the switch is a partner that agrees to whatever its other end says.
"""
import selectors
import socket
import struct
import sys
import time

SLOW_PROTOCOLS = 0x8809
LACP_ADDRESS = bytes.fromhex("0180c2000002")
SYSTEM = bytes.fromhex("02005e000001")
# Activity, short timeout, aggregation, synchronization, collecting, distributing.
AGREED = 0x3F
SYNCHRONIZED_COLLECTING = 0x08 | 0x10
HEARD_FOR_S = 3.5


class Port:
    """One cable to a machine."""

    def __init__(self, number, own, peer):
        self.number, self.lag, self._peer = number, number // 2, ("127.0.0.1", int(peer))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", int(own)))
        self.state = "up"
        self._partner, self._partner_state, self._heard = b"\0" * 15, 0, -HEARD_FOR_S

    def send(self, frame):
        try:
            self.socket.sendto(frame, socket.MSG_DONTWAIT, self._peer)
        except OSError:
            pass  # a cable with nobody at its end

    def receive(self):
        try:
            return self.socket.recv(65536)
        except OSError:
            return b""  # what was sent to nobody comes back as an error

    def hear(self, frame):
        """A LACPDU: its actor is this port's partner."""
        if len(frame) < 16 + 20 or frame[14] != 1:
            return
        self._partner = frame[18:33]
        self._partner_state, self._heard = frame[32], time.monotonic()
        self.speak()

    def speak(self):
        if self.state not in ("up", "apart"):
            return
        key = self.lag + 1 if self.state == "up" else 100 + self.number
        actor = struct.pack("!H6sHHHB3x", 65535, SYSTEM, key, 255, self.number + 1, AGREED)
        information = (b"\x01\x01\x01\x14" + actor + b"\x02\x14" + self._partner + b"\0\0\0" + b"\x03\x10" + b"\0" * 14)
        source = SYSTEM[:5] + bytes([16 + self.number])
        self.send((LACP_ADDRESS + source + struct.pack("!H", SLOW_PROTOCOLS) + information).ljust(124, b"\0"))

    def collects(self):
        """Whether the machine takes frames from this port."""
        fresh = time.monotonic() - self._heard < HEARD_FOR_S
        return self.state == "up" and fresh and self._partner_state & SYNCHRONIZED_COLLECTING == SYNCHRONIZED_COLLECTING


class Switch:
    """The uplink is LAG -1. An address is where it was last heard."""

    def __init__(self, uplink, sockets):
        self._uplink = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._uplink.bind((uplink, 0))
        self.ports = [Port(number, *pair) for number, pair in enumerate(zip(sockets[::2], sockets[1::2]))]
        self._where = {}

    def serve(self):
        ready = selectors.DefaultSelector()
        ready.register(self._uplink, selectors.EVENT_READ, None)
        ready.register(sys.stdin, selectors.EVENT_READ, sys.stdin)
        for port in self.ports:
            ready.register(port.socket, selectors.EVENT_READ, port)
        next_word = 0
        while True:
            for key, _ in ready.select(max(0, next_word - time.monotonic())):
                if key.data is sys.stdin:
                    self._obey(sys.stdin.readline())
                elif key.data:
                    self._from_port(key.data, key.data.receive())
                else:
                    self._from_uplink()
            if time.monotonic() >= next_word:
                next_word = time.monotonic() + 1
                for port in self.ports:
                    port.speak()

    def _obey(self, line):
        if not line:
            sys.exit(0)
        number, state = line.split()
        self.ports[int(number)].state = state
        print("done", flush=True)

    def _from_uplink(self):
        frame, address = self._uplink.recvfrom(65536)
        if address[2] != socket.PACKET_OUTGOING:
            self._forward(-1, frame)

    def _from_port(self, port, frame):
        if port.state == "down" or len(frame) < 14:
            return
        if struct.unpack("!H", frame[12:14])[0] != SLOW_PROTOCOLS:
            self._forward(port.lag, frame)
        elif port.state != "silent":
            port.hear(frame)

    def _forward(self, lag, frame):
        self._where[frame[6:12]] = lag
        known = self._where.get(frame[:6]) if not frame[0] & 1 else None
        for to in [known] if known is not None else range(-1, len(self.ports) // 2):
            if to == lag:
                continue
            if to < 0:
                self._uplink.send(frame)
                continue
            usable = [port for port in self.ports if port.lag == to and port.collects()]
            if usable:
                usable[frame[5] % len(usable)].send(frame)


if __name__ == "__main__":
    Switch(sys.argv[1], sys.argv[2:]).serve()
