#!/usr/bin/env python3
"""Runs stories on two virtual machines: tests/vm/run.py STORY... ; without one it lists them."""
import argparse
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from stories import STORIES
from traffic import LabError
from virtual_machine import Failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stories", nargs="*", metavar="STORY", choices=[*STORIES, []])
    arguments = parser.parse_args()
    if not arguments.stories:
        for name, story in STORIES.items():
            print(f"{name:14} {story.__doc__.splitlines()[0]}")
        return 0
    with open(os.path.join(tempfile.gettempdir(), "hotpair-vm.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the networks and the machines have one name each
        return tell(arguments.stories)


def tell(stories):
    """Exit status of the stories, told one after the other."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is up is taken down
    os.nice(-10)  # a machine that is not let run is a machine that stands still, and the pair would act on it
    failed = 0
    for name in stories:
        print(f"{name}: {STORIES[name].__doc__.splitlines()[0]}", flush=True)
        began = time.monotonic()
        try:
            STORIES[name]()
            print(f"{name}: passed, {time.monotonic() - began:.0f} s", flush=True)
        except (Failed, LabError, OSError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"{name}: FAILED after {time.monotonic() - began:.0f} s: {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
