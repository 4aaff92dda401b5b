#!/usr/bin/env python3
"""A switch that does to VLAN tags what it is told, between the machines' cables.

    switch.py pass|strip|push|trunk OWN_A PEER_A OWN_B PEER_B ...

A frame comes in on the UDP port OWN_A from the machine whose card listens on PEER_A, and leaves from every other port.
`pass` lets frames with VLAN 999 through and drops the others, `strip` takes the tag off, `push` carries the tagged frame
inside another tag (q-in-q) and takes that off again at the other side, `trunk` lets VLANs 998 and 999 through.
"""
import selectors
import socket
import struct
import sys

TAG = struct.pack("!HH", 0x8100, 7 << 13 | 999)
SERVICE_TAG = struct.pack("!HH", 0x88A8, 100)


def tagged(frame, vlans=(999,)):
    return frame[12:14] == b"\x81\x00" and struct.unpack("!H", frame[14:16])[0] & 0xFFF in vlans


def carried(what, frame):
    """The frame as it leaves, or None when it does not."""
    if what == "trunk":
        return frame if tagged(frame, (998, 999)) else None
    if not tagged(frame):
        return None
    if what == "strip":
        return frame[:12] + frame[16:]
    if what == "push":
        wrapped = frame[:12] + SERVICE_TAG + frame[12:]
        return wrapped[:12] + wrapped[16:]
    return frame


def main(what, *ends):
    ports = {}  # a socket, and the far end of its cable
    for own, peer in zip(ends[::2], ends[1::2]):
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port.bind(("127.0.0.1", int(own)))
        ports[port] = ("127.0.0.1", int(peer))
    ready = selectors.DefaultSelector()
    for port in ports:
        ready.register(port, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            frame = carried(what, received(key.fileobj))
            for port in ports:
                if frame and port is not key.fileobj:
                    send(port, frame, ports[port])


def received(port):
    try:
        return port.recv(65536)
    except OSError:
        return b""  # what was sent to nobody comes back as an error


def send(port, frame, peer):
    try:
        port.sendto(frame, socket.MSG_DONTWAIT, peer)
    except OSError:
        pass  # a cable with nobody at its end


if __name__ == "__main__":
    main(*sys.argv[1:])
