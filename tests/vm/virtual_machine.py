"""One machine: a QEMU with a disk of its own over the image, told what to do by QMP and by its agent."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import image
import segments
from network import die_with_parent

BOOT_SECONDS = 180    # 12 on an idle machine; others may be at work
COMMAND_SECONDS = 150  # so long has taken a moment's work where others kept the processors
# Emulated, because a firewall's kernel must be Debian's own: without what emulation is slow at.
QEMU = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35",
        "-accel", "tcg,thread=multi", "-cpu", "max,la57=off,smap=off,smep=off,pku=off"]


class Failed(Exception):
    """What a story expected did not come."""


class Lines:
    """A Unix socket with a line of JSON each way. What came of a line stays for the next hearing when time runs out."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._heard = b""

    def close(self):
        self._socket.close()

    def tell(self, message):
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def hear(self, until):
        """The next line; TimeoutError at the monotonic time `until`, ConnectionError once the other end is gone."""
        while b"\n" not in self._heard:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            read = self._socket.recv(1 << 16)
            if not read:
                raise ConnectionError("the machine is gone")
            self._heard += read
        line, self._heard = self._heard.split(b"\n", 1)
        return json.loads(line)


class Machine:
    """`base` is the disk that its own begins as; `cards` maps a name (image.CARDS) to the tap or socket it is on. A card is
    an e1000e unless `models` names another for it. One with `near`, which maps cards to NUMA nodes, has two nodes."""

    def __init__(self, number, name, directory, share, base=None, memory=640, iommu=False, models=None, slots=(), near=None):
        self.number, self.name, self._memory, self._iommu = number, name, memory, iommu
        self._slots = slots  # the cards that can be unplugged
        self._near = near or {}
        if near:
            self._memory += 640  # half of it is of no use to what wants its own node's
        self._dir, self._share = os.path.join(directory, name), share
        self._cards, self._models, self._process = {}, models or {}, None
        self._agent, self._asked = None, 0  # one connection for as long as the machine runs: no answer is cut in two
        os.makedirs(self._dir)
        over = ["-F", "qcow2", "-b", base] if base else ["-F", "raw", "-b", f"{image.CACHE}/root.img"]
        self.disk = self._at("disk")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *over, self.disk], check=True)

    def _at(self, name):
        return os.path.join(self._dir, name)

    # --- cards, before the start
    def on_segment(self, card, segment):
        tap = f"{self.name}-{card}"
        segments.add_tap(tap, segment)
        self._cards[card] = ["tap", f"ifname={tap},script=no,downscript=no"]

    def on_cable(self, card, own, other):
        """UDP ports for the ends. Not Unix sockets: QEMU spins while the other end's queue is full, as a frozen one's is."""
        self._cards[card] = ["dgram", f"local.type=inet,local.host=127.0.0.1,local.port={own},"
                                      f"remote.type=inet,remote.host=127.0.0.1,remote.port={other}"]

    # --- power
    def start(self):
        with open(self._at("qemu.log"), "ab") as log:
            self._process = subprocess.Popen(segments.inside(segments.LAB, *self._command()), stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, start_new_session=True, preexec_fn=die_with_parent)
        self._agent = self._connect("exec")
        return self

    def _connect(self, name):
        """QEMU makes its sockets in its first moments."""
        end = time.monotonic() + 30
        while True:
            try:
                return Lines(self._at(name))
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"{self.name} did not start: see {self._at('qemu.log')}") from None
            time.sleep(0.02)

    def _command(self):
        command = [*QEMU, *self._processors(), "-kernel", f"{image.CACHE}/vmlinux", "-initrd", f"{image.CACHE}/initrd",
                   "-append", f"console=ttyS0 quiet panic=2 mitigations=off intel_iommu=on iommu=pt tsc=reliable "
                              f"systemd.hostname={self.name} systemd.machine_id={self.number:032x}",
                   "-serial", f"file:{self._at('console')}", "-qmp", f"unix:{self._at('qmp')},server=on,wait=off"]
        if self._iommu:
            command += ["-device", "intel-iommu,intremap=on"]
        command += ["-drive", f"file={self.disk},if=none,id=disk,format=qcow2", "-device", "virtio-blk-pci,drive=disk",
                    "-device", "virtio-serial-pci", "-chardev", f"socket,id=exec,path={self._at('exec')},server=on,wait=off",
                    "-device", "virtserialport,chardev=exec,name=hotpair.exec",
                    "-virtfs", f"local,path={self._share},mount_tag=packages,security_model=none,readonly=on"]
        for card, node in self._near.items():
            bus = f"bus-{card}"
            command += ["-device", f"pxb-pcie,id={bus},bus=pcie.0,bus_nr={0x40 * (1 + node)},numa_node={node}",
                        "-device", f"pcie-root-port,id=slot-{card},bus={bus},chassis={100 + node},slot={100 + node}"]
        for number, card in enumerate(self._slots, 1):
            command += ["-device", f"pcie-root-port,id=slot-{card},chassis={number},slot={number}"]
        for card, (kind, options) in self._cards.items():
            command += ["-netdev", f"{kind},id=net-{card},{options}",
                        "-device", ",".join(f"{key}={value}" for key, value in self._device(card).items())]
        return command

    def _processors(self):
        """One, or one on each of two NUMA nodes, and the memory."""
        if not self._near:
            return ["-smp", "1", "-m", str(self._memory)]
        command, half = ["-smp", "2", "-m", str(self._memory)], self._memory // 2
        for node in (0, 1):
            command += ["-object", f"memory-backend-ram,id=memory-{node},size={half}M",
                        "-numa", f"node,nodeid={node},cpus={node},memdev=memory-{node}"]
        return command

    def _device(self, card):
        model = self._models.get(card, "e1000e")
        device = {"driver": model, "id": card, "netdev": f"net-{card}", "mac": image.mac(self.number, card), "romfile": "",
                  "bus": f"slot-{card}" if card in self._slots or card in self._near else "pcie.0"}
        if model.startswith("virtio") and self._iommu:
            device |= {"disable-legacy": "on", "iommu_platform": "on"}
        return device

    def wait_until_up(self, seconds=BOOT_SECONDS):
        self._await_agent(seconds)
        self.wait("systemctl is-system-running --wait | grep -E 'running|degraded'", seconds, "systemd to be through its boot")

    def _await_agent(self, seconds):
        """What is said to a machine that is being reset is lost, so it is said again."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.run("true", timeout=5, patience=5)
            except Failed:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise

    def power_cut(self):
        self._process.send_signal(signal.SIGKILL)
        self._ended()

    def power_off(self):
        self.run("systemctl --no-block poweroff")
        self._ended()

    def _ended(self):
        try:
            self._process.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} is still on after {BOOT_SECONDS} s") from None
        self._agent.close()

    def panic(self):
        """A crash of the kernel, which starts the machine again after `panic=` seconds."""
        self.run("echo 1 >/proc/sys/kernel/sysrq; (sleep 0.2; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")

    def reset(self):
        self.qmp("system_reset")

    def freeze(self):
        """Stands still, and its clocks go on: as a box does whose firmware or hypervisor keeps its processors."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def end(self):
        if self._process and self._process.poll() is None:
            self.power_cut()

    # --- cables
    def pull(self, card):
        self.qmp("set_link", name=card, up=False)

    def plug(self, card):
        self.qmp("set_link", name=card, up=True)

    # --- cards that are in a slot
    def pci_address(self, card):
        """Of a card that the kernel drives."""
        return self.run(f"ethtool -i {card} | sed -n 's/^bus-info: //p'").strip()

    def unplug(self, card, address):
        """As a hypervisor does: the kernel is asked to let the card go, and it is gone once the kernel has."""
        self.qmp("device_del", id=card)
        self.wait(f"[ ! -e /sys/bus/pci/devices/{address} ]", 60, f"{card} to be let go")

    def plug_in(self, card):
        self.qmp("device_add", **self._device(card))

    def qmp(self, command, **arguments):
        channel = self._connect("qmp")
        until = time.monotonic() + 60
        try:
            channel.hear(until)
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                channel.tell(request)
                answer = channel.hear(until)
                while "event" in answer:
                    answer = channel.hear(until)
        finally:
            channel.close()
        if "error" in answer:
            raise Failed(f"{self.name}: {command}: {answer['error']['desc']}")

    # --- inside
    def run(self, command, timeout=COMMAND_SECONDS, check=True, text="", patience=30):
        """The command's output; a status that is not 0 fails the story unless `check` is false."""
        self._asked += 1
        try:
            self._agent.tell({"id": self._asked, "command": command, "timeout": timeout, "input": text})
            until = time.monotonic() + timeout + patience
            answer = self._agent.hear(until)
            while answer["id"] != self._asked:  # of a question that was given up
                answer = self._agent.hear(until)
        except OSError as why:
            raise Failed(f"{self.name}: {command}: {why}") from None
        if check and answer["status"] != 0:
            raise Failed(f"{self.name}: {command}: status {answer['status']}\n{answer['out']}{answer['err']}")
        return answer["out"]

    def write(self, path, text, mode="0644"):
        self.run(f"mkdir -p $(dirname {path}) && cat >{path} && chmod {mode} {path}", text=text)

    def wait(self, command, seconds, what):
        """Until the command ends well. The event is in the machine, so it is asked again and again."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.run(command, timeout=max(5, seconds))
            except Failed as why:
                if self._process.poll() is not None:
                    raise Failed(f"{self.name} ended: see {self._at('qemu.log')}") from None
                if time.monotonic() > end:
                    raise Failed(f"{self.name}: waited {seconds} s for {what}: {why}") from None
            time.sleep(0.3)

    def status(self):
        return json.loads(self.run("hotpair status --json"))

    def wait_status(self, test, seconds, what):
        """Until the status passes the test; that status."""
        end = time.monotonic() + seconds
        status = None
        while time.monotonic() < end:
            try:
                status = self.status()
                if test(status):
                    return status
            except (Failed, ValueError):
                pass
            time.sleep(0.2)
        seen = {key: status.get(key) for key in ("role", "in_sync", "suppressed", "conflict", "warnings")} if status else None
        raise Failed(f"{self.name}: waited {seconds} s for {what}; last: {seen}")
