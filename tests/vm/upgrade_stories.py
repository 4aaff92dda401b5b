"""A running pair goes from one version of the packages to the next, and through a boot of both boxes."""
import glob
import json
import time
from concurrent.futures import ThreadPoolExecutor

import next_version
from pair import PACKAGES, Pair
from telling import alive, expect, say
from virtual_machine import BOOT_SECONDS, Failed

NEW = "apt-get install -y --no-install-recommends /packages/hotpair_*.deb /packages/hotpair-bench_*.deb"
NEXT = NEW.replace("/packages/", "/packages/next/")
STEPS = ["check", *["take-out", "command", "return", "put-back"] * 2]


def older():
    """The version that `tools/dev package --version` made beside the packages."""
    found = [path for path in glob.glob("*/hotpair_*.deb", root_dir=PACKAGES) if not path.startswith("next/")]
    if len(found) != 1:
        raise Failed("there are no packages of another version: run tools/dev package --version 0.0.9")
    return found[0].split("/")[0]


def boot_of(machine):
    return machine.run("cat /proc/sys/kernel/random/boot_id", timeout=5, patience=5)


def wait_other_boot(machine, before):
    end = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < end:
        try:
            if boot_of(machine) != before:
                return say(f"{machine.name} has booted")
        except Failed:
            pass  # between two boots nobody answers
        time.sleep(0.3)
    raise Failed(f"{machine.name} did not boot within {BOOT_SECONDS} s")


def versions(machine):
    """(of the package, of the agent that runs, of its peer's agent)"""
    package = machine.run("dpkg-query -W -f '${Version}' hotpair").strip()
    status = machine.status()
    return package, status["version"], status["peer"]["version"]


def went_through(output, nodes):
    """Every step of `hotpair upgrade --json` was done, at the first node and then at the other."""
    steps = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    for step in steps:
        say(f"{step['seconds']:6.1f} s  {step['title']}: {step['state']}, {step['detail']}")
    expect([(step["kind"], step["state"]) for step in steps] == [(kind, "done") for kind in STEPS], f"not every step was done: {output}")
    expect([step["node"] for step in steps[1:]] == [name for name in nodes for _ in range(4)], "another order")


def upgrade():
    """`hotpair upgrade` takes a running pair to the next version, then through a boot of both boxes: no connection is lost."""
    version = older()
    with Pair(installed=False) as pair:
        pair.both(lambda machine: machine.run(f"dpkg -i /packages/{version}/hotpair_*.deb /packages/{version}/hotpair-bench_*.deb"))
        primary, backup = pair.ready()
        expect(versions(primary) == (version,) * 3, f"the versions are {versions(primary)}")
        with pair.traffic() as traffic:
            what = f"upgraded from {version}"
            traffic.mark(what)
            went_through(primary.run(f"hotpair upgrade --json --command '{NEW}'", timeout=600), [backup.name, primary.name])
            alive(traffic, what)
            former, (primary, backup) = primary, pair.formed()
            expect(primary is not former, "the role did not go to the one that was upgraded first")
            for machine in pair.machines:
                seen = versions(machine)
                expect(len(set(seen)) == 1 and seen[0] != version, f"{machine.name}: the versions are {seen}")
                expect("(deleted)" not in machine.run("readlink /proc/$(pgrep -x hotpaird | head -1)/exe"), "the old agent runs")
            say(f"both run {versions(primary)[0]}")
            boot_both(pair, traffic, primary, backup)


def boot_both(pair, traffic, primary, backup):
    """The boot of the box that drives the upgrade cuts it off, and it is resumed there."""
    what = "a boot of each"
    before = {machine: boot_of(machine) for machine in pair.machines}
    traffic.mark(what)
    primary.run("systemd-run --quiet --collect hotpair upgrade --command 'systemctl reboot'")
    for machine in (backup, primary):
        wait_other_boot(machine, before[machine])
    primary.wait_until_up()
    output = primary.run("hotpair upgrade --resume", timeout=600)
    expect("Both nodes are upgraded" in output, output)
    alive(traffic, what)
    expect(pair.formed()[0] is backup, "the role is not where it went")


def spoken(status):
    """(highest of its own, of the peer, what they agreed on)"""
    protocol = status["protocol"]
    return protocol["node"]["highest"], protocol["peer"]["highest"], protocol["agreed"]


def watch_spoken(machine, until):
    """What a machine said of the protocol while another's work was done, each once and in order."""
    seen = []
    while not until.done():
        try:
            status = machine.status()
            if status["peer"] and status["peer"]["alive"] and (said := spoken(status)) not in seen:
                seen.append(said)
        except (Failed, KeyError, TypeError):
            pass  # its agent is between two versions
        time.sleep(0.2)
    return seen


def next_protocol():
    """A rolling upgrade to a version that speaks the next protocol: the pair speaks this one until both know the other."""
    with Pair() as pair:
        primary, _ = pair.ready()
        this = primary.status()["protocol"]["node"]["highest"]
        coming = this + 1
        next_version.make(PACKAGES, (this, coming))
        expect(spoken(primary.status()) == (this, this, this), f"it begins with {spoken(primary.status())}")
        with pair.traffic() as traffic, ThreadPoolExecutor(1) as pool:
            what = f"upgraded from protocol {this} to {coming}"
            primary, backup = pair.formed()  # a machine that boots beside others may stand still, and the role then moves
            traffic.mark(what)
            upgrading = pool.submit(primary.run, f"hotpair upgrade --json --command '{NEXT}'", timeout=600)
            seen = watch_spoken(backup, upgrading)
            went_through(upgrading.result(), [backup.name, primary.name])
            alive(traffic, what)
            say(f"the first one of both spoke (own highest, peer's, agreed): {seen}")
            expect((coming, this, this) in seen, "nobody saw the two versions beside each other")
            expect(pair.formed()[0] is backup, "the role is not where it went")
            for machine in pair.machines:
                status = machine.wait_status(lambda status: spoken(status) == (coming,) * 3, 30, "the next protocol")
                expect(status["in_sync"], f"{machine.name} is not in sync")
            say(f"both speak {coming}")
