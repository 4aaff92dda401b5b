#!/usr/bin/python3
"""A failover at a table size, measured at the client: 'hotpair-bench failover'.

Two firewalls, a client and a server in network namespaces of their own, strict rulesets, 200 TCP connections and
1 ms datagram streams over IPv4 and IPv6; the table is filled, and the primary loses its power.
"""

import argparse
import json
import sys
import time

import measure
from keepalived_lab import KeepalivedLab
from lab import Lab
from network import LabError
from traffic import Traffic

CONNECTIONS = 200


def hotpair(given):
    with Lab(given.build, sessions=given.sessions) as lab:
        return fail_over(lab, given, lambda: measure.fill(lab, given.sessions))


def keepalived(given):
    with KeepalivedLab(given.build, given.keepalived_interval, sessions=given.sessions) as lab:
        return fail_over(lab, given, lambda: fill_keepalived(lab, given.sessions))


def fail_over(lab, given, fill):
    lab.form()
    with Traffic(lab, tcp=CONNECTIONS) as traffic:
        filled = fill() if given.sessions else 0.0
        time.sleep(1)  # connections opened just now are known at the other end
        known = measure.known_at_the_backup(lab)
        report, _ = measure.power_loss(lab, traffic)
    return {"silence_ms": report.silence, "tcp_stall_ms": report.stall, "connections": report.connections,
            "alive": report.alive, "known_at_the_backup": known, "fill_seconds": filled, "blur_ms": report.blur}


def fill_keepalived(lab, sessions):
    """As long as hotpair would be given, if need be: what has not arrived by then is measured as it is."""
    began = time.monotonic()
    lab.primary().execute(lab.program("hotpair-bench"), "fill", "--sessions", str(sessions))
    backup, deadline = lab.backup(), began + measure.sync_time(lab)
    while backup.known_elsewhere() < sessions and time.monotonic() < deadline:
        time.sleep(0.2)
    return time.monotonic() - began


def row(name, r):
    return (f"  {name:<24} {r['silence_ms']:>12.1f} {r['tcp_stall_ms']:>12.0f} "
            f"{r['alive']:>6} of {r['connections']:<4} {r['known_at_the_backup']:>14}")


def main():
    parser = argparse.ArgumentParser(prog="hotpair-bench failover", description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="a build folder; default: what is installed")
    parser.add_argument("--sessions", type=int, default=0, help="other sessions in the table")
    parser.add_argument("--compare", choices=["keepalived"], help="measure this one too: with conntrackd")
    parser.add_argument("--keepalived-interval", type=float, default=0.01, help="seconds; its default is 1")
    parser.add_argument("--json", metavar="FILE", help="write all figures here; - is standard output")
    given = parser.parse_args()
    results = {}
    try:
        results["hotpair"] = hotpair(given)
        if given.compare:
            results["keepalived"] = keepalived(given)
    except LabError as error:
        sys.exit(f"hotpair-bench failover: {error}")
    if given.json != "-":
        print(f"  power loss at {given.sessions:,} sessions   silence ms     stall ms    connections  known to other")
        for name, result in results.items():
            print(row(name, result))
    if given.json:
        with open("/dev/stdout" if given.json == "-" else given.json, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")
    sys.exit(0 if results["hotpair"]["alive"] == CONNECTIONS else 1)


if __name__ == "__main__":
    main()
