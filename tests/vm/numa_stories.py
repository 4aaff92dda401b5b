"""The story of machines with two NUMA nodes: where the data plane's memory is, and what is said of a far NIC."""
import json
import re

import image
from full_table import SESSIONS, fill_pair, make_room
from pair import Pair
from telling import expect, moved, say

NEAR = 1  # the node that the session-sync NIC is on; a CPU has the number of its node
# The megabytes of a process's tables and of its hugepages on each node, and in how many hugepages of each are frames: the
# source address and the ethertype that follow one another in a frame's buffer, and nowhere else. Tables are what takes a
# megabyte or more of ordinary pages, buffers in such among them; what DPDK keeps its books in takes less, and is where the
# process was before it was an lcore.
LOOK = """
import json, re, sys
process, frame = sys.argv[1], bytes.fromhex(sys.argv[2])
tables, huge, frames = {0: 0, 1: 0}, {0: 0, 1: 0}, {0: 0, 1: 0}
with open(f"/proc/{process}/numa_maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
    for line in maps:
        size = int(re.search("kernelpagesize_kB=([0-9]+)|$", line).group(1) or 0) << 10
        for node, pages in re.findall(" N([01])=([0-9]+)", line):
            node, length = int(node), int(pages) * size
            if " huge " in line:
                huge[node] += length
                memory.seek(int(line.split()[0], 16))
                frames[node] += memory.read(length).count(frame) > 0
            elif length >= 1 << 20 and (" file=" not in line or "/memfd:nohuge" in line):
                tables[node] += length
print(json.dumps({"tables": [tables[0] >> 20, tables[1] >> 20], "huge": [huge[0] >> 20, huge[1] >> 20],
                  "frames": [frames[0], frames[1]]}))
"""
ETHERTYPE = "9890"
UNIT = "hotpair-dataplane"


def look(machine, until="true"):
    machine.write("/run/look", LOOK)
    frame = image.mac(machine.number, "sync0").replace(":", "") + ETHERTYPE
    command = f"python3 /run/look $(systemctl show -p MainPID --value {UNIT}) {frame} >/run/seen"
    machine.wait(f"{command} && {until}", 30, "what the data plane's memory shows")
    return json.loads(machine.run("cat /run/seen"))


def said(machine, what):
    """What the data plane has said since it was started: the line with these words, or nothing."""
    lines = machine.run(f"journalctl --no-pager -o cat _SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value {UNIT})")
    return next((line for line in lines.splitlines() if what in line), "")


def choose_cpu(machine, cpu):
    machine.run(f"sed -i '/^  lcores:/d; s/^session_sync:/&\\n  lcores: [{cpu}]/' /etc/hotpair/node.yaml")


def reserve(machine, node, pages):
    machine.run(f"echo {pages} >/sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages")


def expect_tables_and_words(machine, cpu, seen):
    expect(seen["tables"][cpu] > 0 and seen["tables"][1 - cpu] == 0, f"{machine.name}: a table is not on node {cpu}")
    far = said(machine, "session_sync.lcores")
    expect(bool(far) == (cpu != NEAR), f"{machine.name}: of a NIC on node {NEAR} and a CPU on {cpu} it says: {far or 'nothing'}")
    named = "box.numa" in machine.run("hotpair doctor --json || true")
    expect(named == (cpu != NEAR), f"{machine.name}: the doctor {'names' if named else 'does not name'} it")


def tell_places(machine, cpu, buffers=NEAR):
    seen = look(machine, "! grep -q '\"frames\": .0, 0.' /run/seen")  # some have left since the start
    say(f"{machine.name}, CPU {cpu}: {seen['tables'][0]} and {seen['tables'][1]} MB of tables on node 0 and 1, "
        f"{seen['huge'][0]} and {seen['huge'][1]} MB of hugepages, with frames in {seen['frames'][0]} and {seen['frames'][1]}")
    away = 1 - cpu
    expect(seen["frames"][buffers] and not seen["frames"][1 - buffers], f"{machine.name}: frames are not on node {buffers}")
    expect(seen["huge"][away] == 0 or buffers == away, f"{machine.name}: hugepages of node {away} are taken for nothing")
    expect_tables_and_words(machine, cpu, seen)


def restart_on(machine, cpu):
    choose_cpu(machine, cpu)
    machine.run(f"systemctl restart {UNIT}")


def mend(machine, line):
    """Does as the line says."""
    machine.run(re.search("'(echo .*?)'", line).group(1))


def tell_hugepages(pair, machine):
    """A node without hugepages: what is said, and that it mends it."""
    machine.run(f"systemctl stop {UNIT}")
    reserve(machine, NEAR, 0)
    restart_on(machine, 1 - NEAR)
    pair.formed()
    tell_places(machine, 1 - NEAR, buffers=1 - NEAR)
    line = said(machine, "packet buffers are on another")
    say(f"no hugepages beside the NIC: in sync all the same, and it says: {line}")
    mend(machine, line)
    restart_on(machine, 1 - NEAR)
    pair.formed()
    tell_places(machine, 1 - NEAR)

    machine.run(f"systemctl stop {UNIT}")
    reserve(machine, 1 - NEAR, 0)
    machine.run(f"systemctl restart --no-block {UNIT}")
    machine.wait(f"journalctl -u {UNIT} -n 20 -o cat | grep 'has no free hugepages' >/run/line", 60, "the node to be named")
    line = machine.run("tail -1 /run/line")
    say(f"none beside the CPU: {line.strip()}")
    mend(machine, line)
    pair.formed()
    tell_places(machine, 1 - NEAR)
    say("reserved as it says: it came up by itself, in sync")


def numa():
    """Two NUMA nodes: the table is on the CPU's, the buffers are on the NIC's; what is far is named; nothing is lost."""
    with Pair(iommu=True, near={"sync0": NEAR}) as pair:
        make_room(pair)
        address = pair.machines[0].pci_address("sync0")
        pair.set_up(sync=(address,), more="--hugepages 64")
        for machine, cpu in zip(pair.machines, (1 - NEAR, NEAR)):
            choose_cpu(machine, cpu)
            node = machine.run(f"cat /sys/bus/pci/devices/{address}/numa_node").strip()
            expect(node == str(NEAR), f"{machine.name}: {address} is on node {node}")
        pair.start()
        fill_pair(pair)
        say(f"{address} is on node {NEAR}; {SESSIONS} sessions in both kernels")
        for machine, cpu in zip(pair.machines, (1 - NEAR, NEAR)):
            tell_places(machine, cpu)
        far = pair.machines[0]
        say(f"{far.name} says: {said(far, 'session_sync.lcores')}")
        restart_on(far, NEAR)
        pair.formed(200)
        tell_places(far, NEAR)
        with pair.traffic() as traffic:
            _, dead = moved(pair, traffic, "power cut", lambda machine: machine.power_cut())
        pair.boot(dead)
        pair.formed(200)
        tell_hugepages(pair, dead)


def numa_kernel():
    """The same with a NIC that the kernel drives, and ordinary pages: all is on the CPU's node, and a far NIC is named."""
    with Pair(near={"sync0": NEAR}, models={"sync0": "virtio-net-pci"}) as pair:
        pair.set_up()
        for machine, cpu in zip(pair.machines, (1 - NEAR, NEAR)):
            choose_cpu(machine, cpu)
        pair.start()
        pair.formed()
        with pair.traffic() as traffic:
            for machine, cpu in zip(pair.machines, (1 - NEAR, NEAR)):
                seen = look(machine)
                say(f"{machine.name}, CPU {cpu}: {seen['tables'][0]} and {seen['tables'][1]} MB of tables and buffers on node 0 and 1")
                expect(seen["huge"] == [0, 0], "there are hugepages")
                expect_tables_and_words(machine, cpu, seen)
            say(f"{pair.machines[0].name} says: {said(pair.machines[0], 'session_sync.lcores')}")
            moved(pair, traffic, "power cut", lambda machine: machine.power_cut())
