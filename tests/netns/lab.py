"""The lab: two firewall nodes, a client, a server and a switch on one machine, in network namespaces.

    with Lab(build="build/release") as lab:
        lab.form()                                  # both nodes up, one primary, tables in sync
        with Traffic(lab, tcp=200) as traffic:
            traffic.mark("power loss")
            lab.primary().power_off()
            lab.wait("the backup to take over", lambda: lab.primary(among=[lab.fw2]))
            print(traffic.report())

Nothing outside the namespaces is touched but the kernel-wide size of the connection tracking table, which is put
back. All is torn down at the end, however it ends; what a killed run left behind is removed by the next.
tests/README.md has the drawing.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time

from network import ConntrackLimits, LabError, Netlink, ip_batch, remove_leftovers, remove_namespace, run, sysctl
from node import AGENT, CABLES, DATAPLANE, Node

CLIENT4, CLIENT6 = "192.0.2.10", "2001:db8:1::10"
SERVER4, SERVER6 = "198.51.100.10", "2001:db8:2::10"
GATEWAYS = {"lan": ["192.0.2.1/24", "2001:db8:1::1/64"], "wan": ["198.51.100.1/24", "2001:db8:2::1/64"]}

# Timing of the heartbeats: what a user gets, and what a user with fast boxes may choose.
PROFILES = {
    "default": {"interval": "10ms", "lost_threshold": 4, "hello_holddown": "2s"},
    "fast": {"interval": "2ms", "lost_threshold": 5, "hello_holddown": "2s"},
}

PLACES = {"hotpaird": "agent/daemon", "hotpair-dataplane": "dataplane/dpdk", "hotpair": "tools/ctl",
          "hotpair-bench": "tools/bench", "hotpair-replay": "tools/replay"}


class Lab:
    """The embedded network and its two nodes. A context manager; one at a time in a process."""

    node_class = Node

    def __init__(self, build, profile="default", sessions=0, cluster=None, fw1=None, fw2=None):
        """`build` is a build folder, or None for what is installed; `sessions` how many the tables must hold; `cluster`
        replaces keys of cluster.yaml; `fw1` and `fw2` what differs on one node: vlan, serial, priority, password,
        group_id; `node` with further keys of node.yaml; `options` of its daemons: {program: [...]}."""
        self.build = os.path.abspath(build) if build else None
        self.prefix = f"hp{os.getpid()}-"
        self.sessions = sessions
        self.cluster = {
            "group_name": "lab",
            "heartbeat": PROFILES[profile],
            "session_pickup": {"enabled": True},
            "redundant_interfaces": [{"interface": i, "addresses": a} for i, a in GATEWAYS.items()],
            **(cluster or {}),
        }
        self._settings = {1: fw1 or {}, 2: fw2 or {}}
        self.nodes = []
        self.dir = None
        self.switch = None
        self._limits = None

    # ---- its life

    def __enter__(self):
        check_machine()
        remove_leftovers()
        self._previous_sigterm = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self._build_network()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and issubclass(kind, (AssertionError, LabError)):
            print(self.evidence(), file=sys.stderr)
        self.close()

    def close(self):
        for node in self.nodes:
            node.destroy()
        for name in ("client", "server", "sw"):
            remove_namespace(self.prefix + name)
        if self.switch:
            self.switch.close()
        if self._limits:
            self._limits.restore()
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)
        signal.signal(signal.SIGTERM, self._previous_sigterm)

    def program(self, name):
        if not self.build:
            installed = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
            if not installed:
                raise LabError(f"{name} is not installed")
            return installed
        path = os.path.join(self.build, PLACES[name], name)
        if not os.access(path, os.X_OK):
            raise LabError(f"{path} is not there: build it first, with 'tools/dev build'")
        return path

    # ---- the pair

    def form(self, timeout=30):
        """Starts both nodes' daemons and waits until there is one primary and a backup in sync."""
        for node in self.nodes:
            if not node.powered:
                node.power_on()
            node.write_config()
            node.start_daemons()
        self.wait_formed(timeout)

    def wait_formed(self, timeout=30):
        self.wait("one primary and one backup in sync", self.formed, timeout)

    def formed(self):
        statuses = [node.status() for node in self.nodes]
        if not all(statuses):
            return False
        in_sync = all(status["in_sync"] for status in statuses)
        return sorted(status["role"] for status in statuses) == ["backup", "primary"] and in_sync

    def primary(self, among=None):
        """The node that says it is primary, or None."""
        return next((node for node in among or self.nodes if node.powered and node.role() == "primary"), None)

    def backup(self):
        return next((node for node in self.nodes if node.powered and node.role() == "backup"), None)

    def other(self, node):
        return self.fw2 if node is self.fw1 else self.fw1

    def wait(self, what, condition, timeout=15.0, every=0.02):
        """Waits until `condition()` is true and returns its value; says what it waited for when it never is."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise LabError(f"waited {timeout:.0f} s for {what}, in vain")
            time.sleep(every)

    def watch(self, seconds, condition, every=0.02):
        """The opposite of wait(): True when `condition()` holds at every look during that time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not condition():
                return False
            time.sleep(every)
        return True

    def never_two_primaries(self):
        return sum(node.powered and node.role() == "primary" for node in self.nodes) < 2

    def evidence(self):
        """What a person wants to see when a story went wrong: what each node says and the end of its logs."""
        parts = []
        for node in self.nodes:
            parts.append(f"---- {node.name}: hotpair status\n{self._quietly(node.ctl, 'status')}")
            for program in (AGENT, DATAPLANE):
                tail = node.log(program).splitlines()[-25:]
                parts.append(f"---- {node.name}: end of {program}'s log\n" + "\n".join(tail))
        return "\n".join(parts)

    # ---- the network

    def plug(self, netns, owner, devices):
        """Makes cables from a namespace's devices to the switch: {device: network}."""
        switch = self.prefix + "sw"
        # The kernel removes a dead namespace's cables in its own time; the new ones need their names now.
        for device in devices:
            run("ip", "-n", switch, "link", "del", f"{owner}-{device}", check=False)
        ip_batch([f"link add {device} netns {netns} type veth peer name {owner}-{device} netns {switch}"
                  for device in devices])
        ip_batch([f"link set {owner}-{device} master {network} up" for device, network in devices.items()],
                 netns=switch)
        self.switch.forget_indices()

    def await_ports(self, ports):
        """The kernel looks at carriers once a second at most; until it has, a bridge does not forward to the port."""
        def forwarding():
            links = json.loads(run("ip", "-n", self.prefix + "sw", "-j", "link", "show"))
            return set(ports) <= {link["ifname"] for link in links if link["operstate"] == "UP"}
        self.wait(f"the switch to forward to {', '.join(ports)}", forwarding, timeout=5)

    def _build_network(self):
        self._limits = ConntrackLimits(self.sessions)
        self.dir = tempfile.mkdtemp(prefix="hotpair-lab-")
        for name in ("sw", "client", "server"):
            run("ip", "netns", "add", self.prefix + name)
        switch = self.prefix + "sw"
        # A switch does not take part in what it carries: no addresses of its own, no IPv6.
        sysctl(switch, {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1})
        ip_batch([f"link add {network} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
                  for network in CABLES.values()], netns=switch)
        ip_batch([f"link set {network} up" for network in CABLES.values()], netns=switch)
        self.switch = Netlink(switch)
        self._add_host("client", "lan", [f"{CLIENT4}/24", f"{CLIENT6}/64"], ["192.0.2.1", "2001:db8:1::1"])
        self._add_host("server", "wan", [f"{SERVER4}/24", f"{SERVER6}/64"], ["198.51.100.1", "2001:db8:2::1"])
        self.nodes = [self.node_class(self, chassis, self._settings[chassis]) for chassis in (1, 2)]
        self.fw1, self.fw2 = self.nodes
        for node in self.nodes:
            node.power_on()

    def _add_host(self, name, network, addresses, gateways):
        netns = self.prefix + name
        sysctl(netns, {"net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0})
        self.plug(netns, name, {network: network})
        ip_batch(["link set lo up", f"link set {network} up"]
                 + [f"address add {address} dev {network}" for address in addresses]
                 + [f"route add default via {gateway}" for gateway in gateways], netns=netns)

    @staticmethod
    def _quietly(function, *arguments):
        try:
            return function(*arguments)[1]
        except Exception as error:  # evidence is gathered after a failure and must not hide it
            return f"(none: {error})"


def check_machine():
    """Says in one sentence what this machine lacks."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root for network namespaces: run it with sudo")
    for tool, package in (("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux"), ("sysctl", "procps")):
        if not shutil.which(tool):
            raise LabError(f"'{tool}' is not installed: apt-get install {package}")
