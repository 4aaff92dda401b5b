"""Stories of the services, as systemd and the kernel deal with them."""
import time

from pair import Pair
from telling import alive, expect, moved, say

UNITS = ("hotpair-dataplane", "hotpaird")


def units():
    """systemctl restart, kill -9 and stop of each unit on each machine, under traffic: no connection is lost."""
    with Pair() as pair:
        pair.ready()
        with pair.traffic() as traffic:
            for unit in UNITS:
                for order in (f"systemctl restart {unit}", f"systemctl kill -s KILL {unit}"):
                    for which in (0, 1):
                        machine = pair.formed()[which]
                        what = f"{order} on the {('primary', 'backup')[which]}"
                        traffic.mark(what)
                        machine.run(order)
                        pair.formed()
                        alive(traffic, what)
            primary, stopped = moved(pair, traffic, "systemctl stop hotpaird on the primary",
                                     lambda machine: machine.run("systemctl stop hotpaird"))
            expect(not stopped.run("ip -br addr show dev lan0 | grep 192.0.2.1", check=False), "a stopped agent kept an address")


def restarts(machine, unit):
    return int(machine.run(f"systemctl show -p NRestarts --value {unit}"))


def processes(machine, unit):
    return machine.run(f"cat /sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs").split()


def kill_by_kernel(machine, process):
    """The kernel's killer takes whom it finds worst: this process."""
    machine.run(f"echo 1000 >/proc/{process}/oom_score_adj && echo 1 >/proc/sys/kernel/sysrq && echo f >/proc/sysrq-trigger")


# Takes all memory there is, in a unit of its own.
HOG = "! systemd-run --quiet --wait --collect python3 -c 'taken = []\nwhile True: taken.append(bytearray(1 << 24))'"


def is_warden(machine, process):
    return machine.run(f"cat /proc/{process}/comm").strip() == "hotpair-warden"


def kill_warden(pair, traffic, which, warden):
    """The kernel takes one of the agent's wardens: the agent starts another, and neither it nor the role notices."""
    primary, backup = pair.formed()
    machine = (primary, backup)[which]
    what = f"a warden killed for its memory on the {('primary', 'backup')[which]}"
    before, epoch, starts = machine.status()["wardens"], primary.status()["epoch"], restarts(machine, "hotpaird")
    traffic.mark(what)
    kill_by_kernel(machine, warden)
    status = machine.wait_status(lambda status: status["wardens"]["replaced"] > before["replaced"] and
                                 len(status["wardens"]["pids"]) == len(before["pids"]), 30, "another warden")
    expect(int(warden) not in status["wardens"]["pids"], f"{what}: it lives")
    alive(traffic, what)
    expect(restarts(machine, "hotpaird") == starts, f"{what}: the service was started anew")
    now, _ = pair.formed()
    expect(now is primary and now.status()["epoch"] == epoch, f"{what}: the role moved")
    expect(not [text for text in status["warnings"] if "warden" in text], f"{what}: still a warning: {status['warnings']}")


def kill_main(pair, traffic, which, unit):
    """The kernel takes what a unit consists of: systemd starts it anew."""
    machine = pair.formed()[which]
    what = f"{unit} killed for its memory on the {('primary', 'backup')[which]}"
    before = restarts(machine, unit)
    traffic.mark(what)
    kill_by_kernel(machine, machine.run(f"systemctl show -p MainPID --value {unit}").strip())
    machine.wait(f"[ $(systemctl show -p NRestarts --value {unit}) -gt {before} ]", 30, "the service to start again")
    pair.formed()
    alive(traffic, what)


def oom():
    """Memory runs out: the kernel kills what took it, not the services; when it does kill one, no connection is lost."""
    with Pair() as pair:
        primary, backup = pair.ready()
        with pair.traffic() as traffic:
            for machine in (primary, backup):
                what = f"memory runs out on the {'primary' if machine is primary else 'backup'}"
                traffic.mark(what)
                machine.run(HOG, timeout=300)
                killed = machine.run("journalctl -k --no-pager -o cat | sed -n 's/.*Killed process [0-9]* (\\(.*\\)).*/\\1/p'").split()
                expect("python3" in killed, "memory did not run out")
                expect(not [name for name in killed if "hotpair" in name], f"{what}: the kernel killed {killed}")
                pair.formed()  # a box without memory may stand still for longer than its peer waits
                alive(traffic, what)
            for which in (0, 1):
                machine = pair.formed()[which]
                wardens = [process for process in processes(machine, "hotpaird") if is_warden(machine, process)]
                expect(len(wardens) == 2, f"{machine.name} has {len(wardens)} wardens")
                for warden in wardens:
                    kill_warden(pair, traffic, which, warden)
            for unit in UNITS:
                for which in (0, 1):
                    kill_main(pair, traffic, which, unit)


CLUSTER, RULES = "/etc/hotpair/cluster.yaml", "/etc/nftables.conf"


def spoil(machine, path):
    machine.run(f"cp {path} /root/good && echo 'heartbeat: [ {{' >>{path}")


def mend(machine, path):
    machine.run(f"cat /root/good >{path}")


def mistakes():
    """Files damaged by hand: an agent restarted on them says what, tries on, and comes up once they are right."""
    with Pair() as pair:
        pair.ready()
        with pair.traffic() as traffic:
            primary, backup = pair.formed()
            traffic.mark("cluster.yaml damaged on the primary")
            spoil(primary, CLUSTER)
            refused = primary.run("hotpair reload 2>&1; true")
            expect("cluster.yaml" in refused, f"a reload does not name the file: {refused}")
            alive(traffic, "cluster.yaml damaged on the primary")
            expect(pair.formed()[0] is primary, "the role moved while nothing was restarted")
            heir, broken = moved(pair, traffic, "hotpaird restarted on it",
                                 lambda machine: machine.run("systemctl restart hotpaird; true"))
            tell_restarts(broken)
            expect(heir.status()["role"] == "primary", "the other node does not carry on")
            traffic.mark("the file is right again")
            mend(broken, CLUSTER)
            now, _ = pair.formed()
            expect(now is heir, "the one that came back took the role")
            alive(traffic, "the file is right again")
            say(f"{broken.name} came up by itself, as backup, in sync")
        doctor_on_firewall(broken)


def tell_restarts(machine):
    """systemd never gives it up, starts it at a bounded pace, and shows which file it is."""
    began, before = time.monotonic(), restarts(machine, "hotpaird")
    machine.wait(f"[ $(systemctl show -p NRestarts --value hotpaird) -ge {before + 3} ]", 60, "three starts")
    pace = (time.monotonic() - began) / 3
    # Of the start that is under way, once it has looked at the file; then it pauses for two seconds.
    shown = machine.wait("systemctl status --no-pager hotpaird | grep -E 'Active:|hotpaird: .*cluster.yaml' >/run/shown; "
                         "grep -q cluster.yaml /run/shown && cat /run/shown", 60, "systemctl status to name the file")
    expect("activating" in shown, f"it was given up: {shown}")
    said = next(line for line in shown.splitlines() if "cluster.yaml" in line).split("]: ")[-1]
    say(f"starts each {pace:.1f} s; systemctl status says: {said}")
    expect(1.5 < pace < 10, "another pace than every two seconds and a half")


def doctor_on_firewall(machine):
    """A ruleset that nft does not take: nftables.service has failed, and the doctor says so until it is right."""
    found = "hotpair doctor --json | grep -q box.firewall-failed"
    machine.run(f"! {found}")
    spoil(machine, RULES)
    machine.run("! systemctl restart nftables")
    machine.wait(found, 30, "the doctor to name nftables.service")
    say("the doctor names a firewall that failed")
    mend(machine, RULES)
    machine.run("systemctl restart nftables")
    machine.wait(f"! {found}", 30, "the doctor to be content")
