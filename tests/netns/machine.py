"""What the machine itself did meanwhile: a real-time sleeper on each CPU notices when the CPU was not to be had.

A pause of a virtual machine's host stops both nodes of the lab at once, as no two boxes ever stop; a story that went
wrong in the same instant says something of the host, and is told with this beside it.
"""

import json
import os
import subprocess
import sys

from network import die_with_parent

_SLEEPER = """
import json, os, signal, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(90))
over, above, STEP = [], float(sys.argv[2]), 0.002
def end(*_):
    print(json.dumps(over)); sys.stdout.flush(); os._exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
last = time.monotonic()
while True:
    time.sleep(STEP)
    now = time.monotonic()
    late = now - last - STEP
    if late > above and len(over) < 100000:
        over.append([last, late])
    last = now
"""


class MachineWitness:
    """Between `with` and its end: every time a CPU could not be had for longer than `above`, as (when, seconds)."""

    def __init__(self, above=0.010):
        self._above = above

    def __enter__(self):
        self._sleepers = [subprocess.Popen([sys.executable, "-c", _SLEEPER, str(cpu), str(self._above)],
                                           stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
                          for cpu in sorted(os.sched_getaffinity(0))]
        for sleeper in self._sleepers:
            sleeper.stdout.readline()
        self.pauses = []
        return self

    def __exit__(self, *_):
        self.pauses = []
        for sleeper in self._sleepers:
            sleeper.terminate()
            self.pauses += [tuple(pause) for pause in json.loads(sleeper.stdout.readline() or "[]")]
            sleeper.wait()
            sleeper.stdout.close()

    def longest_ms(self):
        return 1e3 * max((late for _, late in self.pauses), default=0.0)

    def longer_than(self, seconds):
        return sum(late > seconds for _, late in self.pauses)
