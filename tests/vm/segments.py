"""The networks between the machines: two segments with a client and a server on them, in namespaces of their own.

    hotpair-vm          QEMU, bridges br-lan and br-wan; nothing leaves it
    hotpair-vm-client   192.0.2.10, 2001:db8:1::10 on br-lan, by the shared addresses 192.0.2.1, 2001:db8:1::1
    hotpair-vm-server   198.51.100.10, 2001:db8:2::10 on br-wan, by 198.51.100.1, 2001:db8:2::1

The cables between the two machines (ha0, ha1, sync0) are pairs of UDP ports in the first, which carry every frame as a wire does.
"""
import subprocess

LAB, CLIENT, SERVER = "hotpair-vm", "hotpair-vm-client", "hotpair-vm-server"


def sh(command, check=True):
    return subprocess.run(command, shell=True, check=check, text=True, stdout=subprocess.PIPE,
                          stderr=None if check else subprocess.DEVNULL).stdout


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *command]


def make():
    for namespace in (LAB, CLIENT, SERVER):
        sh(f"ip netns add {namespace} && ip -n {namespace} link set lo up")
    for segment, namespace, net4, net6 in (("lan", CLIENT, "192.0.2.", "2001:db8:1::"),
                                           ("wan", SERVER, "198.51.100.", "2001:db8:2::")):
        # No spanning tree and no snooping: a plain switch.
        sh(f"ip -n {LAB} link add br-{segment} type bridge mcast_snooping 0 && ip -n {LAB} link set br-{segment} up")
        sh(f"ip -n {LAB} link add end-{segment} type veth peer name eth0 netns {namespace}")
        sh(f"ip -n {LAB} link set end-{segment} master br-{segment} up")
        sh(f"ip -n {namespace} link set eth0 up && ip -n {namespace} addr add {net4}10/24 dev eth0")
        sh(f"ip -n {namespace} addr add {net6}10/64 dev eth0 nodad")
        sh(f"ip -n {namespace} route add default via {net4}1 && ip -n {namespace} route add default via {net6}1")


def add_tap(name, segment):
    """A machine's card on a segment."""
    sh(f"ip -n {LAB} tuntap add {name} mode tap && ip -n {LAB} link set {name} master br-{segment} up")


def add_uplink(segment):
    """A device whose frames are the segment's, for a switch that is a program. What it reads must be whole: no frame may
    be left for a card to cut up or to put a checksum into."""
    sh(f"ip -n {LAB} link add up-{segment} type veth peer name up-{segment}-br")
    sh(f"ip -n {LAB} link set up-{segment}-br master br-{segment} up && ip -n {LAB} link set up-{segment} up")
    for namespace, device in ((CLIENT, "eth0"), (SERVER, "eth0"), (LAB, f"up-{segment}")):
        sh(f"ip netns exec {namespace} ethtool -K {device} tx off tso off gso off gro off >/dev/null")
    return f"up-{segment}"


def remove():
    for namespace in (CLIENT, SERVER, LAB):
        sh(f"ip netns del {namespace}", check=False)
