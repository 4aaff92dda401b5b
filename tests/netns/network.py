"""Namespaces, cables and a switch: the embedded network the lab is made of.

Every namespace of a run starts with a prefix that carries the run's process id, so that runs do not meet and the
leftovers of a run that was killed can be told and removed. Needs root, iproute2 and nftables; only the standard
library of Python.
"""

import ctypes
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

NETNS_DIR = "/run/netns"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """What failed, in one sentence for people."""


def run(*command, stdin=None, check=True):
    """Runs a command to its end and returns what it printed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise LabError(f"'{' '.join(command)}' failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def ip_batch(lines, netns=None):
    """Carries out many ip(8) lines in one process."""
    where = ["-n", netns] if netns else []
    run("ip", *where, "-batch", "-", stdin="\n".join(lines) + "\n")


def sysctl(netns, settings):
    """Sets {name: value} inside a namespace."""
    lines = [f"{name}={value}" for name, value in settings.items()]
    run("ip", "netns", "exec", netns, "sysctl", "-q", "-w", *lines)


def die_with_parent():
    """For Popen(preexec_fn=...): a child of the lab never outlives it, however the lab ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def child_of(pid, timeout=5.0):
    """The first child of a process, once it has one."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                children = file.read().split()
        except OSError:
            break
        if children:
            return int(children[0])
        time.sleep(0.002)
    raise LabError(f"process {pid} ended before it started what it was asked to")


def remove_leftovers(prefix="hp"):
    """Removes namespaces of runs whose process is gone, and what still runs in them."""
    for path in glob.glob(f"{NETNS_DIR}/{prefix}[0-9]*-*"):
        name = os.path.basename(path)
        owner = re.match(rf"{prefix}(\d+)-", name)
        if owner and not os.path.exists(f"/proc/{owner.group(1)}"):
            remove_namespace(name)


def remove_namespace(name):
    for pid in run("ip", "netns", "pids", name, check=False).split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    run("ip", "netns", "del", name, check=False)


def socket_in(netns, family, kind, protocol=0):
    """A socket that lives in another namespace than this process."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"{NETNS_DIR}/{netns}", os.O_RDONLY)
    try:
        _setns(there)
        return socket.socket(family, kind, protocol)
    finally:
        _setns(home)
        os.close(home)
        os.close(there)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise LabError(f"cannot enter a network namespace: {os.strerror(ctypes.get_errno())}; run it as root")


class Netlink:
    """A routing socket that lives in one namespace, to change links without the cost of a process."""

    RTM_SETLINK, NLM_F_REQUEST = 19, 1
    AF_BRIDGE, IFLA_PROTINFO, NLA_F_NESTED, IFLA_BRPORT_STATE = 7, 12, 0x8000, 1
    IFF_UP = 1

    def __init__(self, netns):
        self.netns = netns
        self._socket = socket_in(netns, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setblocking(False)
        self._indices = {}

    def index(self, device):
        if device not in self._indices:
            links = json.loads(run("ip", "-n", self.netns, "-j", "link", "show"))
            self._indices = {link["ifname"]: link["ifindex"] for link in links}
        return self._indices[device]

    def forget_indices(self):
        self._indices = {}

    def link(self, device, up):
        """The message that sets a device up or down."""
        return self._message(0, self.index(device), self.IFF_UP if up else 0, self.IFF_UP, b"")

    def bridge_port(self, device, state):
        """The message that sets a bridge port's state (0 disabled, 3 forwarding). Unlike a link going down it
        waits for nothing in the kernel: it is the sharpest knife there is."""
        inner = struct.pack("=HHB3x", 5, self.IFLA_BRPORT_STATE, state)
        attribute = struct.pack("=HH", 4 + len(inner), self.IFLA_PROTINFO | self.NLA_F_NESTED) + inner
        return self._message(self.AF_BRIDGE, self.index(device), 0, 0, attribute)

    def send(self, *messages):
        """Carries out prepared messages in one system call."""
        self._socket.send(b"".join(messages))
        self._raise_errors()

    def close(self):
        self._socket.close()

    def _message(self, family, index, flags, change, attributes):
        body = struct.pack("=BxHiII", family, 0, index, flags, change) + attributes
        return struct.pack("=IHHII", 16 + len(body), self.RTM_SETLINK, self.NLM_F_REQUEST, 0, 0) + body

    def _raise_errors(self):
        try:
            answer = self._socket.recv(65536)
        except BlockingIOError:
            return
        kind, error = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, 16)[0]
        if kind == 2 and error:
            raise LabError(f"the kernel refused a link change in {self.netns}: {os.strerror(-error)}")


class ConntrackLimits:
    """Raises the kernel-wide size of the connection tracking table for a run, and puts it back.

    The hash table is one for all namespaces: with both nodes' tables and two tuples an entry it must hold four
    times the sessions, and a table with long chains inserts several times slower.
    """

    PATH = "/proc/sys/net/netfilter/"

    def __init__(self, sessions):
        self._saved = {}
        self._raise_to("nf_conntrack_buckets", 2 * sessions)
        self._raise_to("nf_conntrack_max", sessions + sessions // 4 + 10_000)

    def _raise_to(self, name, wanted):
        with open(self.PATH + name) as file:
            present = int(file.read())
        if present < wanted:
            self._saved[name] = present
            self._write(name, wanted)

    def restore(self):
        if others_running():
            return
        for name, value in self._saved.items():
            self._write(name, value)

    def _write(self, name, value):
        with open(self.PATH + name, "w") as file:
            file.write(str(value))


def others_running(prefix="hp"):
    """Whether another run of the lab is on this machine: the limits are shared."""
    owners = {re.match(rf"{prefix}(\d+)-", os.path.basename(path)).group(1)
              for path in glob.glob(f"{NETNS_DIR}/{prefix}[0-9]*-*")}
    owners.discard(str(os.getpid()))
    return any(os.path.exists(f"/proc/{owner}") for owner in owners)
