"""Stories of a LAN that is a LAG of two cables: what counts as lost, and when that moves the role."""
from pair import Pair
from telling import alive, expect, moved, say

ENSLAVE = "for card in lan0 lan1; do ip link set $card down; ip link set $card master lag; done; ip link set lag up"
BOND = "ip link add lag type bond miimon 50 mode "
MAKE = {
    "802.3ad": f"{BOND} 802.3ad lacp_rate fast; {ENSLAVE}",
    "active-backup": f"{BOND} active-backup; {ENSLAVE}",
    # Ports without IPv6, as what configures networks has them: with addresses of their own, of the same MAC, they would take
    # the team's link-local address for a duplicate.
    "team": ("""teamd -d -t lag -c '{"runner": {"name": "activebackup"}, "link_watch": {"name": "ethtool"}}'
               for card in lan0 lan1; do ip link set $card down; echo 1 >/proc/sys/net/ipv6/conf/$card/disable_ipv6
               teamdctl lag port add $card; done; ip link set lag up"""),
}


def lag_of(status):
    return next(one["lag"] for one in status["data_interfaces"] if one["device"] == "lag")


def members(status):
    return ", ".join(f"{one['device']} {'usable' if one['usable'] else one['why']}" for one in lag_of(status)["members"])


def wait_usable(machine, count):
    return machine.wait_status(lambda status: lag_of(status)["usable"] == count, 60, f"{count} usable members of the LAG")


def forgive(pair, lost):
    """Both boxes' link_failure_threshold."""
    for machine in pair.machines:
        machine.run("sed -i '/^election:/d' /etc/hotpair/cluster.yaml; "
                    f"echo 'election: {{ link_failure_threshold: {lost} }}' >>/etc/hotpair/cluster.yaml; hotpair reload")


def tell(pair, kind, change):
    """`change(machine, card, "up" or "down")` plugs in or pulls a member."""
    pair.both(lambda machine: machine.run(MAKE[kind]))
    pair.ready(lan="lag")
    for machine in pair.machines:
        expect(lag_of(wait_usable(machine, 2))["mode"] == kind, f"the status of {machine.name} names another mode")
    with pair.traffic() as traffic:
        _, former = moved(pair, traffic, "one member pulled, none forgiven", lambda machine: change(machine, "lan0", "down"))
        say(f"{former.name}: {members(former.status())}")
        change(former, "lan0", "up")
        wait_usable(former, 2)
        if kind == "802.3ad":
            _, former = moved(pair, traffic, "the switch stops LACP on one member, which keeps its carrier",
                              lambda machine: pair.leg(machine, "lan0", "silent"))
            status = former.status()
            lost = next(one for one in lag_of(status)["members"] if not one["usable"])
            say(f"{former.name}: {members(status)}")
            expect(lost["up"] and lost["device"] == "lan0", f"another member is lost: {lost}")
            pair.leg(former, "lan0", "up")
            wait_usable(former, 2)

        forgive(pair, 1)
        primary, _ = pair.formed()
        traffic.mark("forgiven")
        change(primary, "lan0", "down")
        status = wait_usable(primary, 1)
        say(f"one member pulled, one forgiven: {lag_of(status)['state']}; {members(status)}")
        alive(traffic, "one member pulled, one forgiven")
        expect(pair.formed()[0] is primary, "the role moved though one member is forgiven")
        _, former = moved(pair, traffic, "the last member pulled", lambda machine: change(machine, "lan1", "down"))
        expect(lag_of(former.status())["state"] == "down", "a LAG without members is not down")


def lag_lacp():
    """A LAN of 802.3ad: a member pulled, one without LACP, one forgiven, all gone."""
    with Pair(cards=("wan0",), lacp=True) as pair:
        tell(pair, "802.3ad", pair.leg)


def plug_or_pull(machine, card, state):
    (machine.plug if state == "up" else machine.pull)(card)


def lag_active_backup():
    """A LAN of an active-backup bond: a member pulled, one forgiven, all gone."""
    with Pair(cards=("lan0", "lan1", "wan0")) as pair:
        tell(pair, "active-backup", plug_or_pull)


def lag_team():
    """A LAN of a team: a member pulled, one forgiven, all gone."""
    with Pair(cards=("lan0", "lan1", "wan0")) as pair:
        tell(pair, "team", plug_or_pull)
