"""One firewall node of the lab: a box made of a network namespace, a process namespace, cables and its own folders.

Power is taken from it as from a real box: its cables go dead and every process in it ends in the same instant, with
nobody asked. When it is powered on again its kernel is a new one: no addresses, no sessions, nothing but its disk.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

from network import LabError, child_of, die_with_parent, ip_batch, remove_namespace, run, sysctl

# The node's device -> the network it is plugged into.
CABLES = {"lan": "lan", "wan": "wan", "ha0": "ha0", "ha1": "ha1", "mgmt0": "mgmt", "dps0": "sync"}
AGENT, DATAPLANE = "hotpaird", "hotpair-dataplane"

# Strict on purpose: only a SYN from the LAN makes a TCP session, nothing is picked up in mid-stream. A connection
# that lives on after a takeover can only do so because its entry was there.
# Under a virtual MAC the addresses stand on hv-<interface>, and the device below it may still carry traffic.
RULESET = """
define lan = { "lan", "hv-lan" }
define wan = { "wan", "hv-wan" }
table inet lab {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state invalid counter drop
    ct state established,related accept
    iifname $lan oifname $wan ct state new tcp flags & (fin | syn | rst | ack) == syn accept
    iifname $lan oifname $wan ct state new meta l4proto { udp, icmp, ipv6-icmp } accept
  }
}
table ip lab_nat {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname $wan snat to 198.51.100.1
  }
}
"""


class Node:
    """fw1 or fw2. Made by Lab; see lab.py for the network around it."""

    def __init__(self, lab, chassis, settings):
        self.lab = lab
        self.chassis = chassis
        self.name = f"fw{chassis}"
        self.netns = f"{lab.prefix}{self.name}"
        self.dir = os.path.join(lab.dir, self.name)
        self.config_dir, self.run_dir, self.state_dir = (os.path.join(self.dir, d) for d in ("etc", "run", "state"))
        self.credentials = os.path.join(self.dir, "credentials")
        self.settings = {"vlan": 999, "serial": f"LAB-000{chassis}", "priority": 128, "password": "open sesame",
                         "group_id": 7, "options": {}, **settings}
        self.processes = {}
        self.powered = False
        self._init = None
        for folder in (self.config_dir, self.run_dir, self.state_dir, self.credentials):
            os.makedirs(folder, mode=0o700)

    # ---- the box

    def power_on(self):
        """A fresh kernel with cables in, its ruleset loaded and nothing running yet."""
        remove_namespace(self.netns)
        shutil.rmtree(self.run_dir)
        os.makedirs(self.run_dir, mode=0o700)
        run("ip", "netns", "add", self.netns)
        sysctl(self.netns, {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
                            "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
                            # A real box takes longer to boot than its link-local addresses to be checked; until
                            # they are, the kernel asks for no neighbour.
                            "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
                            "net.netfilter.nf_conntrack_tcp_loose": 0})
        self.lab.plug(self.netns, self.name, CABLES)
        ip_batch(["link set lo up"] + [f"link set {device} up" for device in CABLES], netns=self.netns)
        run("ip", "netns", "exec", self.netns, "nft", "-f", "-", stdin=RULESET)
        self._start_init()
        self.lab.await_ports([f"{self.name}-{device}" for device in CABLES])
        self.powered = True

    def power_off(self):
        """The cables go dead and every process is killed, in well under a millisecond; then the rest is tidied."""
        ports = [f"{self.name}-{device}" for device in CABLES]
        cut = b"".join(self.lab.switch.bridge_port(port, 0) for port in ports)
        at = time.monotonic()
        self.lab.switch.send(cut)
        os.kill(self._init, signal.SIGKILL)
        self.power_off_took = time.monotonic() - at
        self.lab.switch.send(*(self.lab.switch.link(port, up=False) for port in ports))
        self.powered = False
        self._reap()
        return at

    def cable(self, device, plugged):
        """Pulls or plugs one cable at the switch: the node's device loses or gains its carrier."""
        port = f"{self.name}-{device}"
        cut = [] if plugged else [self.lab.switch.bridge_port(port, 0)]
        at = time.monotonic()
        self.lab.switch.send(*cut, self.lab.switch.link(port, up=plugged))
        if plugged:
            self.lab.await_ports([port])
        return at

    def destroy(self):
        if self._init:
            self._kill_quietly(self._init)
        self._reap()
        remove_namespace(self.netns)

    # ---- what runs in it

    def write_config(self, cluster=None, node=None):
        """Writes node.yaml, cluster.yaml and the password; `cluster` and `node` replace whole keys."""
        own = self.settings
        interfaces = [{"interface": f"ha{i}", "vlan": own["vlan"]} for i in (0, 1)]
        node_keys = {"chassis_id": self.chassis, "hostname": self.name, "serial": own["serial"],
                     "priority": own["priority"], "heartbeat_interfaces": interfaces,
                     "session_sync": {"devices": ["net_af_packet0,iface=dps0"], "hugepages": False}, **own.get("node", {}), **(node or {})}
        cluster_keys = {**self.lab.cluster, "group_id": own["group_id"], **(cluster or {})}
        self.write_file("node.yaml", as_yaml(node_keys))
        self.write_file("cluster.yaml", as_yaml(cluster_keys))
        self.write_passwords(own["password"])

    def write_passwords(self, *lines):
        """The password file: the password and, during a rotation, the next one."""
        self._write(os.path.join(self.credentials, "password"), "".join(f"{line}\n" for line in lines))

    def write_file(self, name, text):
        self._write(os.path.join(self.config_dir, name), text)

    def start(self, program):
        """Starts a daemon inside the node, as systemd would; its output goes to <program>.log in the node's folder."""
        arguments = [self.lab.program(program), "--config-dir", self.config_dir, "--run-dir", self.run_dir,
                     "--state-dir", self.state_dir, *self.settings["options"].get(program, [])]
        with open(self.log_path(program), "ab") as log:
            outer = subprocess.Popen(self.inside(arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     env={**os.environ, "CREDENTIALS_DIRECTORY": self.credentials},
                                     preexec_fn=die_with_parent)
        self.processes[program] = (outer, child_of(outer.pid))

    def start_daemons(self):
        self.start(DATAPLANE)
        self.start(AGENT)

    def pid(self, program):
        return self.processes[program][1]

    def alive(self, program):
        return program in self.processes and self.processes[program][0].poll() is None

    def signal(self, program, number):
        """Sends a signal to a daemon, nothing else; SIGKILL is waited for."""
        outer, inner = self.processes[program]
        at = time.monotonic()
        os.kill(inner, number)
        if number == signal.SIGKILL:
            outer.wait(timeout=10)
        elif number == signal.SIGCONT:
            outer.send_signal(number)  # nsenter had stopped itself with its child
        return at

    def terminate(self, program, timeout=10):
        """SIGTERM, and the exit status."""
        outer, inner = self.processes[program]
        os.kill(inner, signal.SIGTERM)
        return outer.wait(timeout=timeout)

    def execute(self, *command):
        """Runs a command in the node's network to its end and returns what it printed."""
        return run("ip", "netns", "exec", self.netns, *command)

    def run_inside(self, *command, check=True):
        """The same, where the daemons run: in the node's mounts and processes too."""
        return run(*self.inside(command), check=check)

    # ---- what it says

    def ask(self, command, daemon=AGENT, timeout=5.0, **arguments):
        """One request over a control socket; None when nobody answers there."""
        path = os.path.join(self.run_dir, f"{daemon}.control")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
                channel.settimeout(timeout)
                channel.connect(path)
                channel.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
                with channel.makefile("rb") as answer:
                    line = answer.readline()
            return json.loads(line) if line else None
        except (OSError, ValueError):
            return None

    def status(self):
        return self.ask("status")

    def role(self):
        status = self.status()
        return status["role"] if status else None

    def ctl(self, *arguments):
        """The `hotpair` command against this node: (exit status, text)."""
        done = subprocess.run([self.lab.program("hotpair"), "--run-dir", self.run_dir, *arguments],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def doctor(self, *arguments):
        """`hotpair doctor` in the node's network, where it looks at the box: (exit status, what it says as JSON)."""
        done = subprocess.run(["ip", "netns", "exec", self.netns, self.lab.program("hotpair"), "--run-dir", self.run_dir,
                               "--json", "doctor", "--config-dir", self.config_dir, *arguments], capture_output=True,
                              text=True, timeout=60, env={**os.environ, "CREDENTIALS_DIRECTORY": self.credentials})
        return done.returncode, json.loads(done.stdout)

    def ailments(self, severity=None):
        """The ids of what the doctor finds."""
        return {f["id"] for f in self.doctor()[1]["findings"] if severity in (None, f["severity"])}

    def addresses(self):
        """Every global address its kernel holds, e.g. {"lan": {"192.0.2.1"}}."""
        found = {}
        for link in json.loads(run("ip", "-n", self.netns, "-j", "address", "show")):
            held = {a["local"] for a in link.get("addr_info", []) if a.get("scope") == "global"}
            if held:
                found[link["ifname"]] = held
        return found

    def conntrack_count(self):
        return int(self.execute("sysctl", "-n", "net.netfilter.nf_conntrack_count"))

    def known_elsewhere(self):
        """Sessions of the peer that are not in this node's kernel but would be put there at a takeover: none."""
        return 0

    def log_path(self, program):
        return os.path.join(self.dir, f"{program}.log")

    def log(self, program):
        try:
            with open(self.log_path(program), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def cpu_seconds(self, program):
        """CPU time a daemon and the processes it forked used so far."""
        return sum(_cpu_of(pid) for pid in [self.pid(program), *children_of(self.pid(program))])

    # ---- inner works

    def inside(self, command=()):
        """The command line that runs `command` where the daemons run."""
        return ["nsenter", "--target", str(self._init), "--net", "--mount", "--pid", "--", *command]

    def _start_init(self):
        """Process 1 of the node's own process namespace: it reaps orphans, and when it dies all die with it."""
        reaper = ["/bin/sh", "-c", "while :; do sleep 3600; done"]
        self._outer = subprocess.Popen(
            ["ip", "netns", "exec", self.netns, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *reaper],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self._init = child_of(self._outer.pid)

    def _reap(self):
        for outer, _ in self.processes.values():
            outer.send_signal(signal.SIGCONT)  # one that is stopped could not see its child end
        if self._init:
            self._outer.wait(timeout=10)
        for outer, _ in self.processes.values():
            try:
                outer.wait(timeout=10)
            except subprocess.TimeoutExpired as late:
                raise LabError(f"a process of {self.name} outlived its kernel") from late
        self.processes = {}
        self._init = None

    @staticmethod
    def _kill_quietly(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    @staticmethod
    def _write(path, text):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(text)


def as_yaml(keys):
    """One key a line; the values in YAML's flow style, which JSON is."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items())


def _cpu_of(pid):
    """By the process's own clock, to the nanosecond: /proc counts in hundredths of a second."""
    cpu_clock = (~pid << 3) | 2  # as clock_getcpuclockid(3) makes it
    try:
        return time.clock_gettime(cpu_clock)
    except OSError:  # it has ended
        return 0.0


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []
