#!/usr/bin/python3
"""hotpair's main job as a story in the terminal, on an embedded network, measured at the client.

    sudo tools/dev demo                      builds first, then tells this story
    sudo tools/dev demo --sessions 100000    with as many other sessions in the table
    sudo tools/dev demo --fast               only with heartbeats every 2 ms, 5 lost
    sudo tools/dev demo --trials 1           one power loss instead of the median of five

Exit status 0 only when every connection survived and the planned switchover lost no datagram.
"""

import argparse
import json
import sys
import time

import measure
from lab import PROFILES, Lab
from network import LabError
from scoreboard import Scoreboard
from traffic import Traffic

CONNECTIONS = 200
GOALS_MS = {"default": 80, "fast": 30}


class Story:
    """One line a happening, with the time on each; and what must hold at the end."""

    def __init__(self, given):
        self.given = given
        self.board = Scoreboard()
        self.lost_connections = 0
        self.lost_in_switchover = 0
        self._began = time.monotonic()

    def say(self, line):
        print(f"[{time.monotonic() - self._began:7.2f} s] {line}", flush=True)

    def tell(self):
        first = "fast" if self.given.fast else "default"
        with self.lab(first) as lab:
            self.form(lab, first)
            self.idle(lab)
            with Traffic(lab, tcp=CONNECTIONS) as traffic:
                self.say(f"client: {CONNECTIONS} TCP connections and a 1 ms UDP stream are open, over IPv4 and IPv6")
                self.fill(lab)
                self.prove_sync(lab)
                self.power_losses(lab, traffic, first)
                self.cables(lab, traffic)
                self.planned(lab, traffic)
            if self.given.keep:
                self.keep(lab)
        if first == "default":
            self.tell_fast()
        self.say("all is torn down")
        return self.end()

    def tell_fast(self):
        """The same power loss with the timing for boxes that can keep it."""
        with self.lab("fast") as lab:
            self.form(lab, "fast")
            with Traffic(lab, tcp=CONNECTIONS) as traffic:
                self.fill(lab)
                self.prove_sync(lab)
                self.power_losses(lab, traffic, "fast")

    def lab(self, profile):
        self.say("building the network: client, server, two firewalls, a switch; strict rulesets loaded")
        return Lab(self.given.build, profile=profile, sessions=self.given.sessions)

    def form(self, lab, profile):
        timing = PROFILES[profile]
        self.say(f"fw1, fw2: hotpaird and hotpair-dataplane start; heartbeats every {timing['interval']}, "
                 f"{timing['lost_threshold']} lost, two paths")
        lab.form()
        primary, backup = lab.primary(), lab.backup()
        self.say(f"the pair has formed: {primary.name} is primary, {backup.name} is backup")
        self.say(f"why: {primary.status()['node']['reason']}")

    def fill(self, lab):
        if not self.given.sessions:
            return
        self.say(f"{self.given.sessions:,} other sessions are put into the primary's table")
        seconds = measure.fill(lab, self.given.sessions)
        self.say(f"they are in, and the backup has them all, after {seconds:.1f} s")

    def prove_sync(self, lab):
        primary = lab.primary()
        lab.wait("equal digests", lambda: primary.ctl("verify")[0] == 0, timeout=measure.sync_time(lab), every=0.1)
        self.say(f"{primary.name}: hotpair verify: {primary.ctl('verify')[1].strip()}")

    def power_losses(self, lab, traffic, profile):
        reports = []
        for trial in range(self.given.trials):
            report, dead = measure.power_loss(lab, traffic)
            heir = lab.other(dead)
            self.say(f"{dead.name} has lost power: its processes stopped and its cables dead within "
                     f"{dead.power_off_took * 1e3:.1f} ms; {heir.name} has taken over")
            if trial == 0:
                self.say(f"{heir.name}: {heir.status()['node']['reason']}")
            self.say(f"client: {report}")
            self.judge(report)
            reports.append(report)
            measure.bring_back(lab, dead)
            self.say(f"{dead.name} is back and is backup, in sync; {heir.name} has kept the role")
        self.board.at_most(f"power loss, {profile} timing: longest UDP silence, median of {len(reports)}",
                           measure.median([r.silence for r in reports]), GOALS_MS[profile])
        self.board.note(f"power loss, {profile} timing: longest TCP stall, median of {len(reports)}",
                        measure.median([r.stall for r in reports]), "ms")

    def cables(self, lab, traffic):
        for device in ("lan", "wan"):
            old = lab.primary()
            report = measure.cable_pulled(lab, traffic, device)
            self.say(f"{old.name}: its {device.upper()} cable was pulled; {lab.other(old).name} has taken over; "
                     "the cable is in again")
            self.say(f"client: {report}")
            self.judge(report)
            self.board.at_most(f"{device.upper()} cable pulled: longest UDP silence", report.silence, 60)

    def planned(self, lab, traffic):
        old = lab.primary()
        report = measure.switchover(lab, traffic)
        self.say(f"{old.name}: hotpair failover: {lab.primary().name} is primary, {old.name} is backup")
        self.say(f"client: {report}")
        self.judge(report)
        self.lost_in_switchover = report.lost
        self.board.at_most("planned switchover at 1,000 datagrams a second: lost", report.lost, 0, unit="")

    def idle(self, lab):
        time.sleep(1)
        cost = measure.idle_cost(lab)
        worst = max(cost, key=cost.get)
        self.say("idle: " + ", ".join(f"{process} {percent:.1f} %" for process, percent in cost.items()))
        self.board.at_most(f"idle: the busiest process ({worst}), of one core", cost[worst], 2, unit="%")

    def judge(self, report):
        self.lost_connections += report.connections - report.alive

    def keep(self, lab):
        self.say(f"the network stays up: ip netns exec {lab.prefix}client ..., "
                 f"hotpair --run-dir {lab.fw1.run_dir} status")
        input("press Enter to tear it down ")

    def end(self):
        self.board.at_most("TCP connections lost in all of this", self.lost_connections, 0, unit="")
        print("\n" + self.board.table())
        if self.given.json:
            with open(self.given.json, "w") as file:
                json.dump(self.board.rows, file, indent=1)
        good = self.lost_connections == 0 and self.lost_in_switchover == 0
        print("\nevery connection survived and the planned switchover lost nothing" if good else
              f"\nNOT GOOD: {self.lost_connections} connections lost, {self.lost_in_switchover} datagrams lost in the "
              "planned switchover")
        return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="the build folder")
    parser.add_argument("--sessions", type=int, default=0, help="other sessions in the table")
    parser.add_argument("--fast", action="store_true", help="only the fast timing: heartbeats every 2 ms, 5 lost")
    parser.add_argument("--trials", type=int, default=5, help="power losses; their median is the figure")
    parser.add_argument("--keep", action="store_true", help="leave the network up until Enter is pressed")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    try:
        sys.exit(Story(parser.parse_args()).tell())
    except LabError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit("demo: interrupted; everything is torn down")


if __name__ == "__main__":
    main()
