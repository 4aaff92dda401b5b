"""The same power cut on the same two machines with what others run: keepalived and conntrackd, set up as their manuals say."""
from full_table import SESSIONS, TABLE, count, fill, fill_pair, make_room
from keepalived_lab import OWN, STAND_BY, TAKE_OVER, conntrackd_config, vrrp_config
from pair import Pair
from telling import expect, say
from virtual_machine import Failed

FOLDER = "/etc/keepalived"
CONNECTIONS = 20
DEVICES = {"lan": "lan0", "wan": "wan0", "dps0": "sync0"}


def gateway_at(pair):
    """The machines that hold the gateway's address."""
    return [machine for machine in pair.machines if machine.run("ip -br addr show dev lan0 | grep -w 192.0.2.1/24", check=False)]


def set_up(machine, interval):
    """Nothing of hotpair runs any more; a kernel without sessions."""
    addresses = "; ".join(f"ip addr replace {OWN[network].format(machine.number + 1)} dev {device}"
                          for network, device in DEVICES.items())
    machine.run("systemctl disable --now hotpaird hotpair-dataplane; pkill -x keepalived; pkill -x conntrackd; "
                f"while pgrep -x 'keepalived|conntrackd'; do sleep 0.1; done; conntrack -F; for card in {' '.join(DEVICES.values())}; "
                f"do ip addr flush dev $card scope global; ip link set $card up; done; {addresses}; "
                "sysctl -qw net.ipv4.conf.all.arp_ignore=1")
    machine.write(f"{FOLDER}/conntrackd.conf", conntrackd_config(machine.number, "sync0", "/run"))
    for name, text in (("take-over", TAKE_OVER), ("stand-by", STAND_BY)):
        machine.write(f"{FOLDER}/{name}", text.format(conntrackd="conntrackd", config=FOLDER), "0700")
    machine.write(f"{FOLDER}/keepalived.conf", vrrp_config(machine.name, machine.number, interval, FOLDER, DEVICES))
    machine.run(f"conntrackd -d -C {FOLDER}/conntrackd.conf && keepalived -f {FOLDER}/keepalived.conf")


def wait_known(standby):
    """Until conntrackd knows all sessions. What it lost on a busy machine it is told to ask for, as its manual says."""
    known = (f"[ $(conntrackd -C {FOLDER}/conntrackd.conf -s | grep -A2 'cache external' | grep -o 'active connections:.*' | "
             f"grep -o '[0-9]*$') -ge {SESSIONS + CONNECTIONS} ]")
    try:
        standby.wait(known, 60, "conntrackd to know the sessions")
    except Failed:
        standby.run(f"conntrackd -C {FOLDER}/conntrackd.conf -n")
        standby.wait(known, 200, "conntrackd to know the sessions, asked for again")


def cut_with_keepalived(pair, interval):
    """What the traffic felt of a power cut, the sessions filled in and replicated before."""
    for machine in pair.machines:
        set_up(machine, interval)
        if machine is pair.machines[0]:
            machine.wait("ip -br addr show dev lan0 | grep -w 192.0.2.1/24", 60, "the gateway's address")
    active, standby = pair.machines
    fill(active)
    expect(gateway_at(pair) == [active], "the gateway's address is not at the first machine alone")
    with pair.traffic(CONNECTIONS) as traffic:
        wait_known(standby)
        traffic.mark("power cut")
        active.power_cut()
        standby.wait("ip -br addr show dev lan0 | grep -w 192.0.2.1/24", 60, "the other to take the address")
        standby.wait(f"[ $(sysctl -n net.netfilter.nf_conntrack_count) -ge {SESSIONS} ]", 200, "the sessions to be in its kernel")
        report = traffic.report()
    say(f"keepalived + conntrackd, advertisements each {interval} s: {report}; {count(standby)} sessions in the kernel")
    pair.boot(active)
    pair.both(lambda machine: machine.run(TABLE))
    return report


def cut_with_hotpair(pair):
    primary, backup = fill_pair(pair)
    with pair.traffic(CONNECTIONS) as traffic:
        pair.formed()
        traffic.mark("power cut")
        primary.power_cut()
        backup.wait_status(lambda status: status["role"] == "primary", 30, "the backup to take over")
        report = traffic.report()
    say(f"hotpair, heartbeats each 0.1 s, four may be lost: {report}; {count(backup)} sessions in the kernel")
    pair.boot(primary)
    return report


def compared():
    """A power cut with 100,000 sessions, of a hotpair and then of keepalived + conntrackd on the same machines."""
    with Pair() as pair:
        make_room(pair)
        pair.ready()
        ours = cut_with_hotpair(pair)
        expect(ours.all_alive, f"connections were lost: {ours.reasons}")
        theirs = cut_with_keepalived(pair, 1)
        expect(theirs.alive, "keepalived and conntrackd kept nothing: they are not set up")
        expect(ours.silence < theirs.silence, "slower than keepalived as it is by default")
        try:
            cut_with_keepalived(pair, 0.1)  # shown beside, not judged by
        except Failed as why:
            say(f"keepalived + conntrackd, advertisements each 0.1 s: not measured, on a busy machine they do not settle ({why})")
