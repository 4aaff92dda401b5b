"""Stories of the services, as systemd and the kernel deal with them."""
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
            for unit in UNITS:
                for which, role in enumerate(("primary", "backup")):
                    for victim in range(len(processes(primary, unit))):
                        machine = pair.formed()[which]
                        what = f"process {victim + 1} of {unit} killed for its memory on the {role}"
                        before = restarts(machine, unit)
                        traffic.mark(what)
                        kill_by_kernel(machine, processes(machine, unit)[victim])
                        # systemd starts a unit anew that lost a process for its memory, and does not always hear of it
                        # where the main one lives on: then the warden's death is named.
                        machine.wait(f"[ $(systemctl show -p NRestarts --value {unit}) -gt {before} ] || hotpair status | grep -q warden", 30,
                                     "the service to start again, or to name what it lost")
                        pair.formed()
                        alive(traffic, what)
