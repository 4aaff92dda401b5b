"""Stories of the session-sync NIC: who drives it, and what comes when it goes."""
import image
from pair import Pair
from telling import expect, moved, say
from unit_stories import restarts

DATAPLANE = "hotpair-dataplane"


def driver(machine, address):
    return machine.run(f"basename $(readlink /sys/bus/pci/devices/{address}/driver)").strip()


def vfio():
    """The session-sync NIC on vfio-pci behind an IOMMU, also after a boot; without its cable it is an alarm."""
    tell_vfio("e1000e")


def vmxnet3():
    """The same with a vmxnet3 card."""
    tell_vfio("vmxnet3")


def tell_vfio(model):
    with Pair(iommu=True, models={"sync0": model}) as pair:
        address = pair.machines[0].pci_address("sync0")
        pair.ready(sync=(address,), more="--hugepages 64")
        for machine in pair.machines:
            machine.power_off()
        pair.boot(*pair.machines)
        primary, backup = pair.formed()
        for machine in pair.machines:
            expect(driver(machine, address) == "vfio-pci", f"{machine.name}: {address} is driven by {driver(machine, address)}")
        say(f"{address} is on vfio-pci after a boot; in sync over it")
        with pair.traffic() as traffic:
            traffic.mark("replicated")
            expect(traffic.report().all_alive, "traffic does not pass")
            backup.wait_status(lambda status: status["replication"]["sessions_local"] >= 20, 20, "20 sessions at the backup")
        primary.pull("sync0")
        primary.wait_status(lambda status: not status["in_sync"], 30, "the lost cable to show")
        say("cable of the session-sync port pulled: not in sync")
        primary.plug("sync0")
        pair.formed()
        say("plugged in again: in sync")


def chosen(status):
    return next((port["device"] for port in status["dataplane"]["ports"] if port["chosen"] and port["proven"]), None)


def wait_chosen(pair, device):
    for machine in pair.machines:
        machine.wait_status(lambda status: chosen(status) == device, 60, f"sessions to go over {device}")
    pair.formed()


def unplugged():
    """A session-sync NIC on vfio-pci is unplugged: sessions go over the next one, and back; none left is an alarm."""
    with Pair(iommu=True, cables=("sync1",), slots=("sync0", "sync1")) as pair:
        address, other = (pair.machines[0].pci_address(card) for card in ("sync0", "sync1"))
        first, second = address, "net_af_packet0,iface=sync1"
        pair.ready(sync=(address, "sync1"), more="--hugepages 64")
        wait_chosen(pair, first)
        primary, backup = pair.formed()
        epoch = primary.status()["epoch"]
        with pair.traffic() as traffic:
            for machine in (primary, backup):
                role = "primary" if machine is primary else "backup"
                machine.unplug("sync0", address)
                wait_chosen(pair, second)
                say(f"unplugged at the {role}: in sync over sync1")
                machine.plug_in("sync0")
                wait_chosen(pair, first)
                expect(driver(machine, address) == "vfio-pci", f"plugged in again, it is driven by {driver(machine, address)}")
                say("plugged in again: on vfio-pci, in sync over it")
            primary.unplug("sync1", other)
            primary.unplug("sync0", address)
            primary.wait("hotpair doctor --json | grep -q pair.not-in-sync", 60, "the doctor to say that nothing is replicated")
            expect(not primary.status()["in_sync"], "in sync without a NIC")
            say("both unplugged at the primary: named by the doctor")
            primary.plug_in("sync1")
            wait_chosen(pair, second)
            primary.plug_in("sync0")
            wait_chosen(pair, first)
            say("plugged in again: in sync over sync1, then over the first")
            expect(primary.status()["epoch"] == epoch, "the role moved")
            moved(pair, traffic, "power cut", lambda machine: machine.power_cut())


def af_xdp():
    """Sessions over af_xdp on a NIC whose driver has XDP of its own, virtio; one without, e1000e, is refused with words."""
    with Pair(models={"sync0": "virtio-net-pci"}, cables=("sync1",)) as pair:
        primary, backup = pair.ready(sync=("net_af_xdp0,iface=sync0",))
        for machine in pair.machines:
            expect("xdp" in machine.run("ip link show dev sync0").split(), f"{machine.name}: no program on sync0")
        say("in sync, with a program on either NIC")
        for role, machine in (("primary", primary), ("backup", backup)):
            before = restarts(machine, DATAPLANE)
            machine.run(f"systemctl kill -s KILL {DATAPLANE}")
            machine.wait(f"[ $(systemctl show -p NRestarts --value {DATAPLANE}) -gt {before} ]", 30, "another start")
            pair.formed()
            say(f"killed at the {role}, which left its program there: in sync again")
        primary.pull("sync0")
        primary.wait_status(lambda status: not status["in_sync"], 30, "the lost cable to show")
        primary.plug("sync0")
        pair.formed()
        say("cable pulled: not in sync; plugged in again: in sync")
        with pair.traffic() as traffic:
            traffic.mark("replicated")
            expect(traffic.report().all_alive, "traffic does not pass")
            backup.wait_status(lambda status: status["replication"]["sessions_local"] >= 20, 20, "20 sessions at the backup")
            primary, _ = moved(pair, traffic, "power cut", lambda machine: machine.power_cut())
        tell_refusals(primary)


def tell_refusals(machine):
    """What the data plane says of a NIC that af_xdp cannot have, and of rights that it has not."""
    change = "sed -i 's/iface=sync0/iface=sync1/' /etc/hotpair/node.yaml"
    less = f"rm /etc/systemd/system/{DATAPLANE}.service.d/af-xdp.conf && systemctl daemon-reload"
    for what, act, mended_by in (("no XDP in the driver", change, "net_af_packet0,iface=sync1"),
                                 ("no right to load a program", less, "CapabilityBoundingSet=CAP_SYS_ADMIN")):
        machine.run(f"{act} && systemctl restart --no-block {DATAPLANE}")
        machine.wait(f"journalctl --no-pager -o cat -n 20 -u {DATAPLANE} | grep '{mended_by}' >/run/line", 60, mended_by)
        say(f"{what}: {machine.run('tail -1 /run/line').strip()}")


def small_boxes():
    """One CPU, no hugepages, virtio cards: sessions go over DPDK's virtio driver, and over af_packet without that cable."""
    with Pair(iommu=True, cables=("sync1",), models={card: "virtio-net-pci" for card in image.CARDS}) as pair:
        address = pair.machines[0].pci_address("sync0")
        first, second = address, "net_af_packet0,iface=sync1"
        pair.ready(sync=(address, "sync1"), more="--hugepages 0")
        for machine in pair.machines:
            expect(machine.run("nproc; cat /proc/sys/vm/nr_hugepages").split() == ["1", "0"], "it is a larger box")
        wait_chosen(pair, first)
        say("in sync over DPDK's virtio driver")
        with pair.traffic() as traffic:
            pair.formed()[0].pull("sync0")
            wait_chosen(pair, second)
            say("its cable pulled: in sync over af_packet on a virtio card")
            moved(pair, traffic, "power cut", lambda machine: machine.power_cut())
