"""What the demo, the tests and the marks do to a pair under traffic, and what they measure while they do it."""

import statistics
import time

from network import LabError
from node import AGENT, DATAPLANE

# Traffic flows untouched this long before each event, and this long after it was answered.
BEFORE, AFTER = 0.3, 0.7


def power_loss(lab, traffic):
    """Takes the power from the primary. Returns (report, the dead node)."""
    dead = _primary(lab)
    traffic.mark("power loss")
    time.sleep(BEFORE)
    dead.power_off()
    _await_takeover(lab, lab.other(dead))
    time.sleep(AFTER)
    return traffic.report(), dead


def bring_back(lab, node):
    """Powers a dead node on and waits until it stands by, in sync; it must not have taken the role."""
    node.power_on()
    node.start_daemons()
    lab.wait_formed(timeout=sync_time(lab))
    changes = node.ask("history", limit=100)["changes"]
    start = max(i for i, change in enumerate(changes) if change["from"] == "init")
    taken = [change["reason"] for change in changes[start:] if change["to"] == "primary"]
    if taken:
        raise LabError(f"{node.name} took the role when it came back: {taken[0]}")


def switchover(lab, traffic):
    """A planned switchover, ordered at the primary. Returns the report."""
    old = _primary(lab)
    traffic.mark("planned switchover")
    time.sleep(BEFORE)
    code, said = old.ctl("failover")
    if code != 0:
        raise LabError(f"hotpair failover was refused: {said.strip()}")
    _await_takeover(lab, lab.other(old))
    time.sleep(AFTER)
    report = traffic.report()
    lab.wait_formed(timeout=sync_time(lab))
    return report


def cable_pulled(lab, traffic, device):
    """Pulls a data cable of the primary; plugs it in again when the other has taken over. Returns the report."""
    old = _primary(lab)
    traffic.mark(f"{device} cable pulled")
    time.sleep(BEFORE)
    old.cable(device, plugged=False)
    _await_takeover(lab, lab.other(old))
    time.sleep(AFTER)
    report = traffic.report()
    old.cable(device, plugged=True)
    lab.wait_formed(timeout=sync_time(lab))
    return report


def idle_cost(lab, windows=5, seconds=2.0):
    """Share of one core each process of each node used, in percent, the median of so many windows of so many seconds:
    {"fw1 hotpaird": 0.8, ...}. A beat runs with cold caches, so what other guests of the machine do shows in it."""
    processes = [(node, program) for node in lab.nodes for program in (AGENT, DATAPLANE)]
    shares = {key: [] for key in processes}
    for _ in range(windows):
        before = {key: key[0].cpu_seconds(key[1]) for key in processes}
        began = time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - began
        for node, program in processes:
            shares[node, program].append(100 * (node.cpu_seconds(program) - before[node, program]) / elapsed)
    return {f"{node.name} {program}": median(of) for (node, program), of in shares.items()}


def fill(lab, sessions):
    """Puts other sessions into the primary's table and waits until the backup has them. Returns the seconds of both."""
    began = time.monotonic()
    _primary(lab).execute(lab.program("hotpair-bench"), "fill", "--sessions", str(sessions))
    backup = lab.backup()
    lab.wait("the sessions to arrive at the backup",
             lambda: backup.conntrack_count() >= sessions and lab.formed(), timeout=sync_time(lab), every=0.1)
    return time.monotonic() - began


def known_at_the_backup(lab):
    """Sessions that the node that stands by could go on with."""
    backup = lab.backup()
    return max(backup.conntrack_count(), backup.known_elsewhere())


def sync_time(lab):
    """How long a wait for a full table may take before something is wrong."""
    return 30 + lab.sessions / 5_000


def median(values):
    return statistics.median(values)


def _primary(lab):
    return lab.wait("a primary", lab.primary)


def _await_takeover(lab, heir):
    lab.wait(f"{heir.name} to take over", lambda: heir.role() == "primary", timeout=15)
