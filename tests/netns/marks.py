#!/usr/bin/python3
"""The figures: what a pair does under each fault, as medians, with the mark beside each.

    sudo tests/netns/marks.py --build build/release                 everything, about five minutes
    sudo tests/netns/marks.py --build build/release --only fast,idle
    sudo tests/netns/marks.py --build build/release --busy          ten minutes among four busy loops

Parts: default (power losses, cables, switchover at 10 ms, 4 lost), fast (2 ms, 5 lost), full (500,000 sessions),
idle (CPU of each process), busy (false takeovers). Exit status 0 when every mark was reached.
"""

import argparse
import json
import subprocess
import sys
import time

import measure
from lab import Lab
from machine import MachineWitness
from network import LabError, die_with_parent
from scoreboard import Scoreboard
from traffic import Traffic

PARTS = ("default", "fast", "full", "idle")


def power_losses(lab, traffic, trials, board, label, goal_ms):
    reports = []
    for trial in range(trials):
        report, dead = measure.power_loss(lab, traffic)
        reports.append(report)
        print(f"  {label}, power loss {trial + 1}: {report}", flush=True)
        measure.bring_back(lab, dead)
    board.at_most(f"{label}: power loss, longest UDP silence, median of {trials}",
                  measure.median([r.silence for r in reports]), goal_ms)
    board.note(f"{label}: power loss, longest UDP silence, worst of {trials}", max(r.silence for r in reports), "ms")
    board.note(f"{label}: power loss, longest TCP stall, median of {trials}",
               measure.median([r.stall for r in reports]), "ms")
    board.at_most(f"{label}: TCP connections lost in {trials} power losses",
                  sum(r.connections - r.alive for r in reports), 0, unit="")
    return reports


def part_default(build, trials, board):
    with Lab(build) as lab:
        lab.form()
        with Traffic(lab) as traffic:
            power_losses(lab, traffic, trials, board, "default", 80)
            for device in ("lan", "wan"):
                pulls = [measure.cable_pulled(lab, traffic, device) for _ in range(trials)]
                board.at_most(f"{device.upper()} cable pulled, longest UDP silence, median of {trials}",
                              measure.median([r.silence for r in pulls]), 60)
            moves = [measure.switchover(lab, traffic) for _ in range(trials)]
            board.at_most(f"planned switchover, datagrams lost in {trials}", sum(r.lost for r in moves), 0, unit="")
            board.note("planned switchover, longest UDP silence, worst", max(r.silence for r in moves), "ms")


def part_fast(build, trials, board):
    with Lab(build, profile="fast") as lab:
        lab.form()
        with Traffic(lab) as traffic:
            power_losses(lab, traffic, trials, board, "fast", 30)


def part_full(build, trials, board, sessions=500_000):
    """The same power loss within 10 ms with a full table."""
    with Lab(build, sessions=sessions) as lab:
        lab.form()
        with Traffic(lab) as traffic:
            empty = [measure.power_loss(lab, traffic)]
            measure.bring_back(lab, empty[0][1])
            seconds = measure.fill(lab, sessions)
            board.note(f"{sessions:,} sessions: time to fill them in until the backup has them", seconds, "s")
            full = power_losses(lab, traffic, trials, board, f"{sessions:,} sessions", 90)
            difference = measure.median([r.silence for r in full]) - empty[0][0].silence
            board.note(f"{sessions:,} sessions: longer than with an empty table by", difference, "ms")


def part_idle(build, _, board):
    with Lab(build) as lab:
        lab.form()
        time.sleep(3)
        for process, percent in measure.idle_cost(lab, windows=9).items():
            board.at_most(f"idle: {process}, of one core", percent, 2, unit="%")


def part_busy(build, minutes, board):
    """Four busy loops share the machine's cores with the pair: nothing may move."""
    with Lab(build) as lab:
        lab.form()
        primary = lab.primary()
        epoch = primary.status()["epoch"]
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=die_with_parent)
                 for _ in range(4)]
        witness = MachineWitness()
        try:
            with witness:
                time.sleep(60 * minutes)
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
        board.note("busy: the longest time the machine itself gave a CPU to nobody here", witness.longest_ms(), "ms")
        board.note("busy: how often that was longer than the 40 ms of the detection", witness.longer_than(0.040), "")
        changes = sum(len(node.ask("history", limit=1000)["changes"]) for node in lab.nodes)
        moved = lab.wait("an answer", primary.status)["epoch"] != epoch
        board.note("busy: role changes in both histories, the forming of the pair included", changes, "")
        if moved:
            print(lab.evidence())
        board.at_most(f"busy: false takeovers in {minutes} minutes", int(moved), 0, unit="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="the build folder")
    parser.add_argument("--trials", type=int, default=5, help="of each fault")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma separated: " + " ".join(PARTS))
    parser.add_argument("--busy", action="store_true", help="only the busy part")
    parser.add_argument("--minutes", type=float, default=10, help="of the busy part")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    given = parser.parse_args()
    board = Scoreboard()
    try:
        if given.busy:
            part_busy(given.build, given.minutes, board)
        for part in [] if given.busy else given.only.split(","):
            print(f"{part}:", flush=True)
            globals()[f"part_{part}"](given.build, given.trials, board)
    except LabError as error:
        print(board.table())
        sys.exit(f"marks: {error}")
    print(board.table())
    if given.json:
        with open(given.json, "w") as file:
            json.dump(board.rows, file, indent=1)
    sys.exit(0 if board.all_reached() else 1)


if __name__ == "__main__":
    main()
