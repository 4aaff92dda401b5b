"""What two machines show and namespaces cannot. Each story stands alone; its first line is what it says, and the time
it takes is in README.md."""
import time

from card_stories import af_xdp, small_boxes, unplugged, vfio, vmxnet3
from compare_stories import compared
from full_table import SESSIONS, count, fill_pair, make_room
from lag_stories import lag_active_backup, lag_lacp, lag_team
from numa_stories import numa, numa_kernel
from pair import Pair
from telling import alive, expect, moved, say
from unit_stories import mistakes, oom, units
from upgrade_stories import next_protocol, upgrade


def install():
    """From the packages to a pair: nothing runs before it is set up, and it forms by itself after every boot."""
    with Pair(installed=False) as pair:
        pair.install()
        for machine in pair.machines:
            for unit in ("hotpaird", "hotpair-dataplane"):
                expect(machine.run(f"systemctl is-enabled {unit}", check=False).strip() == "disabled", f"{unit} is enabled")
                expect(machine.run(f"systemctl is-active {unit}", check=False).strip() == "inactive", f"{unit} runs")
        say("installed; nothing runs yet")
        pair.set_up()
        pair.start()
        primary, backup = pair.formed()
        say(f"{primary.name} is primary, {backup.name} is in sync")
        for unit in ("hotpaird", "hotpair-dataplane"):
            exposure = primary.run(f"systemd-analyze security --no-pager {unit} | tail -1")
            level = float(exposure.split(":")[1].split()[0])
            expect(level < 4.0, exposure)
            say(f"exposure of {unit}: {level}")
        for machine in pair.machines:
            machine.power_off()
        pair.boot(*pair.machines)
        primary, backup = pair.formed()
        say(f"after a boot of both {primary.name} is primary, {backup.name} is in sync")
        with pair.traffic() as traffic:
            traffic.mark("booted")
            backup.wait_status(lambda status: status["replication"]["sessions_local"] >= 20, 20, "20 sessions at the backup")
            alive(traffic, "replicated after a boot")
        expect(primary.run("sysctl -n net.netfilter.nf_conntrack_tcp_loose").strip() == "0", "a boot lost the kernel's settings")
        groups = primary.run("stat -c %G:%a /run/hotpair/hotpaird.control /run/hotpair").split()
        expect(groups == ["hotpair:660", "hotpair:750"], f"the control socket belongs to {groups}")


def power_cut():
    """The primary's power is cut, with 100,000 sessions and connections through both kernels: all live on."""
    with Pair() as pair:
        make_room(pair)
        pair.ready()
        fill_pair(pair)
        say(f"{SESSIONS} sessions made in the primary's kernel, and in the backup's")
        with pair.traffic() as traffic:
            primary, dead = moved(pair, traffic, "power cut", lambda machine: machine.power_cut())
        now = count(primary)
        say(f"{now} sessions in the new primary's kernel")
        expect(now >= SESSIONS, "sessions were lost")
        before = primary.status()["epoch"]
        pair.boot(dead)
        now, backup = pair.formed(200)
        expect(now is primary and now.status()["epoch"] == before, "the role moved when the dead one came back")
        expect(count(backup) >= SESSIONS, "the one that came back does not have every session")
        say(f"{backup.name} came back as backup, in sync, with {count(backup)} sessions")


def both_cut():
    """Both lose their power and come back one after the other, in either order: the first carries the traffic, and keeps it."""
    with Pair() as pair:
        pair.ready()
        for first, second in (pair.machines, pair.machines[::-1]):
            for machine in pair.machines:
                machine.power_cut()
            pair.boot(first)
            first.wait_status(lambda status: status["role"] == "primary", 60, f"{first.name} to be primary alone")
            say(f"{first.name} is back first, and primary")
            pair.boot(second)
            primary, _ = pair.formed()
            expect(primary is first, "the second took the role")
            say(f"{second.name} is its backup, in sync")


def crash():
    """The primary's kernel panics; later its reset button is pushed: the other takes over, and it comes back as backup."""
    with Pair() as pair:
        pair.ready()
        with pair.traffic() as traffic:
            for what, act in (("kernel panic", lambda machine: machine.panic()),
                              ("reset button", lambda machine: machine.reset())):
                primary, crashed = moved(pair, traffic, what, act)
                crashed.wait_until_up()
                now, _ = pair.formed()
                expect(now is primary, f"{what}: the role moved when the crashed one came back")
                say(f"{crashed.name} came back as backup, in sync")


def freeze():
    """The primary stands still for five seconds and goes on: it must not speak as primary again."""
    with Pair() as pair:
        pair.ready()
        with pair.traffic() as traffic:
            primary, frozen = moved(pair, traffic, "frozen", lambda machine: machine.freeze())
            traffic.mark("thawed")
            time.sleep(5)  # that long it stands still: this is the story, not a wait
            frozen.thaw()
            frozen.wait_status(lambda status: status["role"] == "backup" and status["peer"]["role"] == "primary", 20,
                               "the thawed one to be backup")
            report = alive(traffic, "thawed")
            expect(report.silence < 2000, "the neighbours went on asking the thawed one")
        status = primary.status()
        expect(status["role"] == "primary", "the thawed one took the role back")
        expect(status["dual_primary_episodes"] == 0, f"both were primary: {status['dual_primary_episodes']} times")
        expect(not frozen.run("ip -br addr show dev lan0 | grep 192.0.2.1", check=False), "the thawed one kept an address")


def paused():
    """The hypervisor takes the primary away for five seconds, clocks and all: woken, it finds its role taken and yields."""
    with Pair() as pair:
        pair.ready()
        with pair.traffic() as traffic:
            primary, away = moved(pair, traffic, "paused", lambda machine: machine.qmp("stop"))
            epoch = primary.status()["epoch"]
            traffic.mark("woken")
            time.sleep(5)  # that long it is away: this is the story, not a wait
            away.qmp("cont")
            away.wait_status(lambda status: status["role"] == "backup" and status["peer"]["role"] == "primary", 20,
                             "the woken one to be backup")
            alive(traffic, "woken")
        expect(primary.status()["epoch"] == epoch, "the role moved when the paused one woke")
        pair.formed()


def vrf():
    """A link of one logical system fails: the whole node hands over."""
    system = "logical_systems: [{ name: tenant, vrf: vrf-a, interfaces: [lan1, wan1] }]\n"
    with Pair(cables=("lan1", "wan1")) as pair:  # the tenant's networks are others than the firewall's own
        for machine in pair.machines:
            machine.run("ip link add vrf-a type vrf table 10 && ip link set vrf-a up && "
                        "ip link set lan1 master vrf-a && ip link set wan1 master vrf-a")
        pair.ready(cluster=system)
        with pair.traffic() as traffic:
            moved(pair, traffic, "a cable of the VRF pulled", lambda machine: machine.pull("lan1"))


def held(machine, route, listing):
    machine.wait(f"{listing} | grep -q '{route}'", 20, f"{machine.name} to hold {route}")


def vrf_routes():
    """The primary's routes in a VRF are in the backup's VRF of that name, whatever its table's number there, and outlive it."""
    tenant = ("logical_systems: [{ name: tenant, vrf: vrf-a, interfaces: [lan1, wan1] }]\n"
              "route_sync: { enabled: true, protocols: [bgp], hold: 1s, ttl: 120s }\n")
    with Pair(cables=("lan1", "wan1")) as pair:
        for machine in pair.machines:
            machine.run(f"ip link add vrf-a type vrf table {10 * machine.number} && ip link set vrf-a up && "
                        "for card in lan1 wan1; do ip link set $card master vrf-a up || exit 1; done; "
                        f"ip addr add 198.18.0.{machine.number}/24 dev wan1 && "
                        f"ip addr add 2001:db8:18::{machine.number}/64 dev wan1 nodad")
        primary, backup = pair.ready(cluster=tenant)
        primary.run("ip route add 203.0.113.0/24 via 198.18.0.9 proto bgp metric 20 vrf vrf-a && "
                    "ip -6 route add 2001:db8:9::/48 via 2001:db8:18::9 proto bgp vrf vrf-a && "
                    "ip route add 203.0.113.0/25 via 198.51.100.9 proto bgp")
        held(backup, "203.0.113.0/24 via 198.18.0.9 dev wan1", "ip route show vrf vrf-a")
        held(backup, "2001:db8:9::/48 via 2001:db8:18::9 dev wan1", "ip -6 route show vrf vrf-a")
        held(backup, "203.0.113.0/25 via 198.51.100.9 dev wan0", "ip route show")
        expect("203.0.113.0/25" not in backup.run("ip route show vrf vrf-a"), "a route of main is in the VRF")
        say(f"of table {10 * primary.number} at the primary, of table {10 * backup.number} at the backup")
        primary.run("ip route del 203.0.113.0/25 proto bgp")
        backup.wait("! ip route show | grep -q 203.0.113.0/25", 20, "the removal to arrive")
        primary.power_cut()
        backup.wait_status(lambda status: status["role"] == "primary", 30, f"{backup.name} to take over")
        held(backup, "203.0.113.0/24 via 198.18.0.9 dev wan1", "ip route show vrf vrf-a")
        expect(backup.status()["routes"]["ttl_left_ms"] > 0, "how long they stay is not told")
        say("they outlive the primary, for ttl")


def stripped_vlan():
    """A switch between the heartbeat NICs takes the VLAN tag off: named by the doctor, and no two quiet primaries."""
    with Pair(vlans={"ha0": "strip", "ha1": "strip"}) as pair:
        pair.set_up()
        pair.start()
        for machine in pair.machines:
            machine.wait("hotpair doctor --json | grep -q pair.untagged", 60, "the doctor to name the missing tag")
        primaries = [machine for machine in pair.machines if machine.status()["role"] == "primary"]
        conflicts = [machine.status()["conflict"] for machine in pair.machines]
        say(f"{len(primaries)} primary; conflict: {conflicts[0]}")
        expect(len(primaries) <= 1, "two primaries beside a switch that strips tags")


def tagged_vlans():
    """Heartbeats across a switch that passes VLAN 999 alone, and across q-in-q: a pair as on cables."""
    with Pair(vlans={"ha0": "pass", "ha1": "push"}) as pair:
        primary, _ = pair.ready()
        paths = [path for path in primary.status()["heartbeat_paths"] if path["kind"] == "heartbeat"]
        say(", ".join(f"{path['interface']}: {'alive' if path['alive'] else 'dead'}" for path in paths))
        expect(all(path["alive"] and path["heard_by_peer"] for path in paths), "a path is dead")


def one_switch():
    """All heartbeat NICs on one trunk, told apart by their VLANs alone: both paths live, nothing is mistaken for a fault."""
    with Pair(vlans={"ha0 ha1": "trunk"}) as pair:
        primary, _ = pair.ready(heartbeats=("ha0:998", "ha1:999"))
        status = primary.status()
        paths = [path for path in status["heartbeat_paths"] if path["kind"] == "heartbeat"]
        say(", ".join(f"{path['interface']}: {'alive' if path['alive'] else 'dead'}" for path in paths))
        expect(all(path["alive"] and path["heard_by_peer"] for path in paths), "a path is dead")
        expect(not status["conflict"], f"a conflict is seen: {status['conflict']}")
        primary.pull("ha0")
        status = primary.wait_status(lambda status: not path_of(status, "ha0")["alive"], 20, "the pulled path to be dead")
        expect(path_of(status, "ha1")["alive"], "a cable pulled took both VLANs with it")
        say("ha0 pulled: its path is dead, the other alive")


def path_of(status, interface):
    return next(path for path in status["heartbeat_paths"] if path["interface"] == interface)


def clock():
    """The primary's clock is set an hour forth and back, and the backup's: nothing moves, nothing is lost."""
    with Pair() as pair:
        primary, backup = pair.ready()
        epoch = primary.status()["epoch"]
        with pair.traffic() as traffic:
            for machine, step in ((primary, "+3600"), (primary, "-7200"), (backup, "+3600"), (backup, "-7200")):
                what = f"the {'primary' if machine is primary else 'backup'}'s clock set by {step} s"
                traffic.mark(what)
                machine.run(f"date -s @$(($(date +%s) {step}))")
                time.sleep(2)  # five times what the peer waits for: if it moved something, it has
                alive(traffic, what)
                now, _ = pair.formed()
                expect(now is primary and now.status()["epoch"] == epoch, f"{what}: the role moved")
            moved(pair, traffic, "power cut, with clocks that differ by nothing but the past", lambda machine: machine.power_cut())


# sync: what is not on the disk yet is gone after a power cut, and the disk not full any more.
FILL = "dd if=/dev/zero of=/var/lib/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/var/lib/filler2 bs=1 2>/dev/null; sync"


def no_room(machine):
    """Nothing can be kept: neither a file nor an order."""
    machine.run("cd /var/lib/hotpair; head -c 65536 /dev/zero >probe; kept=$?; rm -f probe; [ $kept -ne 0 ]")


def full_disk():
    """The disk of both boxes is full: it is named, and a dead or restarted primary is succeeded all the same."""
    with Pair() as pair:
        pair.ready()
        pair.both(lambda machine: machine.run(FILL, timeout=300))
        for machine in pair.machines:
            expect("No space" in machine.run("hotpair force backup 2>&1; true"), f"{machine.name}: an order was kept on a full disk")
            machine.wait("hotpair doctor --json | grep -q pair.request-failing", 60, "the doctor to name what cannot be written")
        say("an order that must be kept is refused, and the doctor names the cause")
        with pair.traffic() as traffic:
            primary, dead = moved(pair, traffic, "power cut, both disks full", lambda machine: machine.power_cut())
            pair.boot(dead)
            now, backup = pair.formed(200)
            expect(now is primary, "the role moved when the dead one came back")
            pair.both(no_room)
            say(f"{backup.name} came back as backup with a full disk")
            primary, backup = moved(pair, traffic, "hotpaird restarted, both disks full",
                                    lambda machine: machine.run("systemctl restart hotpaird"))
            expect(pair.formed()[0] is primary, "the one that was restarted took the role back")
            pair.both(no_room)
        pair.both(lambda machine: machine.run("rm -f /var/lib/filler*"))
        for machine in pair.machines:
            machine.wait("! hotpair doctor --json | grep -q pair.request-failing", 60, "the alarm to end")
        say("room again: the alarm is over")


STORIES = {story.__name__: story for story in (
    install, power_cut, compared, both_cut, crash, freeze, paused, units, oom, mistakes, lag_lacp, lag_active_backup, lag_team,
    vrf, vrf_routes, stripped_vlan, tagged_vlans, one_switch, vfio, vmxnet3, unplugged, small_boxes, af_xdp, numa, numa_kernel,
    clock, full_disk, upgrade, next_protocol)}
