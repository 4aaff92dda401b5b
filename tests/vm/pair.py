"""Two machines as a pair: installed from the packages, set up by `hotpair setup`, with traffic through them."""
import glob
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import image
import installed
import segments
from network import die_with_parent
from traffic import Traffic
from virtual_machine import Failed, Machine

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.environ.get("HOTPAIR_BUILD", os.path.join(ROOT, "build/release"))
PACKAGES = os.environ.get("HOTPAIR_VM_PACKAGES", os.path.join(ROOT, "build/package"))
RULES = """flush ruleset
table inet fw {
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    meta l4proto 58 accept
    ct state invalid drop
    iifname { "lan0", "lan1", "lag" } accept
  }
}
"""
LEGS = ("lan0", "lan1")  # of a LAG to the switch
# Emulation stands still for up to 50 ms by itself, more on a busy machine.
TIMING = "heartbeat: { interval: 100ms, lost_threshold: 4 }\n"


class Pair:
    """Context manager: networks and machines are there inside, and gone after, whatever happens."""

    def __init__(self, iommu=False, cards=("lan0", "wan0"), vlans=None, lacp=False, models=None, installed=True,
                 cables=(), slots=(), near=None):
        self.directory = os.environ.get("HOTPAIR_VM_RUN", "/var/tmp/hotpair-vm-run")
        self._iommu, self._cards = iommu, cards
        self._cables = ("ha0", "ha1", "sync0", *cables)  # from one machine to the other, and nowhere else
        self._vlans = vlans or {}  # a card, or cards of one switch -> what a switch between does (switch.py)
        self._lacp = lacp          # the LAN is a switch with a LAG of lan0 and lan1 to each machine (lacp_switch.py)
        self._models, self._installed = models, installed
        self._slots = slots  # cards that can be unplugged
        self._near = near    # cards -> the NUMA node that they are on, of machines with two
        self._others, self.machines, self._lacp_switch = [], [], None

    def __enter__(self):
        packages = [path for name in ("hotpair", "hotpair-bench") for path in glob.glob(f"{PACKAGES}/{name}_*.deb")]
        if len(packages) != 2:
            raise Failed("there are no packages: run tools/dev package")
        image.build(packages[:1])
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        segments.remove()
        segments.make()
        try:
            base = installed.disk(self.directory, packages) if self._installed else None
            self.machines = [self._machine(number, base) for number in (1, 2)]
            for cards, what in self._vlans.items():
                ends = [self._end(card, side) for card in cards.split() for side in ("s1", 1, "s2", 2)]
                self._spawn(segments.inside(segments.LAB, sys.executable, self._beside("switch.py"), what, *ends))
            if self._lacp:
                self._start_lacp_switch()
            self.boot(*self.machines)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, failed=None, *_):
        if failed:
            self._tell_journals()
        for machine in self.machines:
            machine.end()
        for process in self._others:
            process.kill()
            process.wait()
        segments.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _tell_journals(self):
        """What the services said, for whoever reads why a story failed."""
        for machine in self.machines:
            try:
                said = machine.run("journalctl --no-pager -o cat -n 40 -u hotpaird -u hotpair-dataplane", check=False)
            except Failed as why:
                said = f"cannot be asked: {why}"
            print(f"---- {machine.name}: the services' journal\n{said}", flush=True)

    @staticmethod
    def _end(card, side):
        """The UDP port of a cable's end: at machine 1 or 2, or at what is between, s1 and s2."""
        return str(20000 + 10 * image.CARDS.index(card) + (1, 2, "s1", "s2").index(side))

    @staticmethod
    def _beside(name):
        return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)

    def _machine(self, number, base):
        machine = Machine(number, f"fw{number}", self.directory, PACKAGES, base, iommu=self._iommu, models=self._models,
                          slots=self._slots, near=self._near)
        for card in self._cards:
            machine.on_segment(card, card.rstrip("01"))
        for card in LEGS if self._lacp else ():
            machine.on_cable(card, self._end(card, number), self._end(card, f"s{number}"))
        switched = " ".join(self._vlans).split()
        for card in self._cables:
            other = f"s{number}" if card in switched else 3 - number
            machine.on_cable(card, self._end(card, number), self._end(card, other))
        return machine

    # --- the switch with LAGs
    def _start_lacp_switch(self):
        ends = [self._end(card, side) for number in (1, 2) for card in LEGS for side in (f"s{number}", number)]
        command = [sys.executable, self._beside("lacp_switch.py"), segments.add_uplink("lan"), *ends]
        self._lacp_switch = self._spawn(segments.inside(segments.LAB, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def leg(self, machine, card, state):
        """What lacp_switch.py does on the port that the machine's card is plugged into: up, down, silent, apart."""
        if state == "down":
            machine.pull(card)
        print((machine.number - 1) * len(LEGS) + LEGS.index(card), state, file=self._lacp_switch.stdin, flush=True)
        if self._lacp_switch.stdout.readline() != "done\n":
            raise Failed("the switch with LAGs has ended")
        if state == "up":
            machine.plug(card)

    def _spawn(self, command, **more):
        process = subprocess.Popen(command, preexec_fn=die_with_parent, **more)
        self._others.append(process)
        return process

    @staticmethod
    def boot(*machines):
        for machine in machines:
            machine.start()
        for machine in machines:
            machine.wait_until_up()

    # --- from packages to a running pair
    def both(self, work):
        """The same on both machines at the same time."""
        with ThreadPoolExecutor(len(self.machines)) as pool:
            return list(pool.map(work, self.machines))

    def install(self):
        self.both(lambda machine: machine.run(installed.INSTALL, timeout=300))

    def set_up(self, sync=("sync0",), cluster="", heartbeats=("ha0", "ha1"), lan="lan0", more=""):
        """As a deployer would: the first box answers, the second takes the first one's files."""
        one, two = self.machines
        flags = [f"--heartbeat {card}" for card in heartbeats] + [f"--sync {device}" for device in sync]
        box = f"{' '.join(flags)} --interface lan={lan} --interface wan=wan0 {more}"
        one.run(f"hotpair setup --yes --chassis 1 {box} --group-id 7 --address lan=192.0.2.1/24 "
                "--address lan=2001:db8:1::1/64 --address wan=198.51.100.1/24 --address wan=2001:db8:2::1/64")
        one.write("/etc/hotpair/cluster.yaml", one.run("cat /etc/hotpair/cluster.yaml") + TIMING + cluster)
        for name, mode in (("cluster.yaml", "0644"), ("password", "0600")):
            two.write(f"/root/{name}", one.run(f"cat /etc/hotpair/{name}"), mode)
        two.run(f"hotpair setup --yes --chassis 2 {box} --cluster-from /root/cluster.yaml --password-from /root/password")
        self.both(self._filter)

    @staticmethod
    def _filter(machine):
        machine.write("/etc/nftables.conf", RULES)
        machine.run("systemctl daemon-reload && systemctl enable --now nftables && nft -f /etc/nftables.conf && "
                    "systemctl restart systemd-modules-load systemd-sysctl")

    def start(self):
        # The links as a deployer's network configuration would have them.
        self.both(lambda machine: machine.run(
            "for card in ha0 ha1 sync0; do ip link set $card up 2>/dev/null; done; "
            "systemctl enable --now hotpair-dataplane hotpaird"))

    def ready(self, **settings):
        self.set_up(**settings)
        self.start()
        return self.formed()

    # --- what it is
    def formed(self, seconds=90):
        """(primary, backup) once there is exactly one, and the backup is in sync."""
        one, two = self.machines
        one.wait_status(lambda status: status["in_sync"] and status["peer"] is not None, seconds, "a pair in sync")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            roles = [self._role(machine) for machine in (one, two)]
            if roles == ["primary", "backup"]:
                return one, two
            if roles == ["backup", "primary"]:
                return two, one
        raise Failed(f"the roles are {roles}")

    @staticmethod
    def _role(machine):
        try:
            return machine.status()["role"]
        except Failed:
            return "not reachable"

    # --- traffic, by what the namespaces' stories use
    prefix = "hotpair-vm-"

    @staticmethod
    def program(name):
        return os.path.join(BUILD, "tools/bench", name)

    def traffic(self, tcp=20):
        return Traffic(self, tcp=tcp, udp_interval_ms=20, settle_s=15)
