"""A running pair goes from one version of the packages to the next, and through a boot of both boxes."""
import glob
import json
import time

from pair import PACKAGES, Pair
from telling import alive, expect, say
from virtual_machine import BOOT_SECONDS, Failed

NEW = "apt-get install -y --no-install-recommends /packages/hotpair_*.deb /packages/hotpair-bench_*.deb"
STEPS = ["check", *["take-out", "command", "return", "put-back"] * 2]


def older():
    """The version that `tools/dev package --version` made beside the packages."""
    found = glob.glob("*/hotpair_*.deb", root_dir=PACKAGES)
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
