#!/usr/bin/env python3
"""A switch that does to VLAN tags what it is told, between two machines' cables.

    switch.py pass|strip|push OWN_A PEER_A OWN_B PEER_B

Frames come in on the UDP port OWN_A from the machine whose card listens on PEER_A, and leave from OWN_B, and the other
way. `pass` lets frames with VLAN 999 through and drops the others, `strip` takes the tag off, `push` carries the tagged
frame inside another tag (q-in-q) and takes that off again at the other side.
"""
import selectors
import socket
import struct
import sys

TAG = struct.pack("!HH", 0x8100, 7 << 13 | 999)
SERVICE_TAG = struct.pack("!HH", 0x88A8, 100)


def tagged(frame):
    return frame[12:14] == b"\x81\x00" and struct.unpack("!H", frame[14:16])[0] & 0xFFF == 999


def carried(what, frame):
    """The frame as it leaves, or None when it does not."""
    if not tagged(frame):
        return None
    if what == "strip":
        return frame[:12] + frame[16:]
    if what == "push":
        wrapped = frame[:12] + SERVICE_TAG + frame[12:]
        return wrapped[:12] + wrapped[16:]
    return frame


def main(what, *paths):
    sides = []
    for own, peer in (paths[:2], paths[2:]):
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port.bind(("127.0.0.1", int(own)))
        sides.append((port, ("127.0.0.1", int(peer))))
    ready = selectors.DefaultSelector()
    for index, (port, _) in enumerate(sides):
        ready.register(port, selectors.EVENT_READ, sides[1 - index])
    while True:
        for key, _ in ready.select():
            port, peer = key.data
            try:
                frame = carried(what, key.fileobj.recv(65536))
                if frame:
                    port.sendto(frame, socket.MSG_DONTWAIT, peer)
            except OSError:
                pass  # a cable with nobody at its end


if __name__ == "__main__":
    main(*sys.argv[1:])
