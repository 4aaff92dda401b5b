#!/usr/bin/env python3
"""The machines' kernel, initramfs and root disk: a Debian 12 with what the packages under test depend on, and without them.

Built once from Debian's mirror as this machine's apt knows it, into $HOTPAIR_VM_CACHE (/var/tmp/hotpair-vm: 1.5 GB), and
again when this folder or the packages' dependencies change. Needs root.
"""
import glob
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("HOTPAIR_VM_CACHE", "/var/tmp/hotpair-vm")
# What a firewall has, what the stories look with and compare with, and DPDK's drivers for the cards that QEMU has.
PACKAGES = """systemd systemd-sysv udev dbus kmod procps iproute2 iputils-ping ethtool nftables conntrack tcpdump pciutils
 python3-minimal python3 util-linux netbase keepalived conntrackd libteam-utils
 librte-net-e1000-23 librte-net-vmxnet3-23 librte-net-virtio23 librte-net-af-xdp23""".split()
EARLY = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "virtio_console"]
# Slow to start, and nothing to a firewall that lives for a minute.
MASKED = """apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
 systemd-timesyncd.service getty@tty1.service serial-getty@ttyS0.service systemd-hwdb-update.service
 systemd-firstboot.service systemd-pstore.service systemd-rfkill.socket
 systemd-logind.service systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
 man-db.timer systemd-binfmt.service proc-sys-fs-binfmt_misc.automount dev-mqueue.mount sys-kernel-debug.mount
 sys-kernel-tracing.mount modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service
 modprobe@fuse.service modprobe@loop.service sys-fs-fuse-connections.mount ldconfig.service systemd-user-sessions.service
 systemd-update-done.service systemd-ask-password-wall.path systemd-ask-password-console.path
 keepalived.service conntrackd.service""".split()
CARDS = ["ha0", "ha1", "sync0", "lan0", "lan1", "wan0", "wan1", "sync1"]
AGENT_UNIT = """[Unit]
Description=Runs the tests' commands
DefaultDependencies=no
[Service]
ExecStart=/usr/bin/python3 -S -E /usr/local/sbin/hotpair-vm-agent
KillMode=process
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target
"""
CABLES_UNIT = """[Unit]
Description=Plugs the cables in
Before=network.target hotpaird.service hotpair-dataplane.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/udevadm settle
ExecStart=/bin/sh -c 'for card in CARDS; do [ ! -e /sys/class/net/$card ] || ip link set $card up; done'
[Install]
WantedBy=multi-user.target
""".replace("CARDS", " ".join(CARDS))


def run(*command, **more):
    return subprocess.run(command, check=True, text=True, **more)


def output(*command):
    return run(*command, stdout=subprocess.PIPE).stdout


def mac(machine, card):
    return f"52:54:00:00:{machine:02x}:{CARDS.index(card):02x}"


def dependencies(packages):
    """Names of what the packages need: the first of alternatives, without versions, without one another."""
    names, own = set(), {output("dpkg-deb", "-f", path, "Package").strip() for path in packages}
    for path in packages:
        for part in output("dpkg-deb", "-f", path, "Depends").replace("\n", " ").split(","):
            names.add(re.sub(r"\(.*?\)|\|.*|:any", "", part).strip())
    return sorted(names - own - {""})


def sources():
    lines = output("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
                   "Identifier: Packages", "Origin: Debian").splitlines()
    return sorted({line for line in lines if " bookworm" in line})


def apt_options():
    """The host's way to its mirror, for mmdebstrap."""
    lines = output("apt-config", "dump").splitlines()
    return [f"--aptopt={line}" for line in lines if re.match(r"Acquire::(https?::|Check-|Retries)", line) and '""' not in line]


def unpack_kernel(work, root):
    kernel = re.search(r"Depends: (linux-image-\S+-amd64)", output("apt-cache", "depends", "linux-image-amd64")).group(1)
    run("apt-get", "download", "-qq", kernel, "busybox-static", cwd=work)
    run("dpkg-deb", "-x", glob.glob(f"{work}/linux-image-*.deb")[0], f"{work}/kernel")
    run("dpkg-deb", "-x", glob.glob(f"{work}/busybox-static*.deb")[0], f"{work}/busybox")
    version = kernel.removeprefix("linux-image-")
    for folder in ("drivers/gpu", "drivers/media", "sound", "drivers/net/wireless", "drivers/infiniband", "drivers/usb"):
        shutil.rmtree(f"{work}/kernel/lib/modules/{version}/kernel/{folder}", ignore_errors=True)
    shutil.copytree(f"{work}/kernel/lib/modules", f"{root}/lib/modules")
    run("depmod", "-b", root, version, stderr=subprocess.DEVNULL)
    # The image inside the compressed one: QEMU starts it directly, and decompressing is slow under emulation.
    with open(f"{work}/kernel/boot/vmlinuz-{version}", "rb") as file:
        packed = file.read()
    begin = packed.index(b"\xfd7zXZ\x00")
    with open(f"{work}/vmlinux", "wb") as file:
        file.write(lzma.LZMADecompressor().decompress(packed[begin:]))
    return version


def make_initramfs(work, root, version):
    tree = f"{work}/initramfs"
    for folder in ("bin", "modules", "proc", "sys", "dev", "root"):
        os.makedirs(f"{tree}/{folder}")
    shutil.copy(f"{work}/busybox/bin/busybox", f"{tree}/bin/busybox")
    shutil.copy(f"{HERE}/guest_init", f"{tree}/init")
    os.chmod(f"{tree}/init", 0o755)
    order = []
    for module in EARLY:
        shown = output("modprobe", "-d", root, "-S", version, "--show-depends", module)
        order += [line.split()[1] for line in shown.splitlines() if line.startswith("insmod ")]
    order = list(dict.fromkeys(order))
    for path in order:
        shutil.copy(path, f"{tree}/modules/")
    with open(f"{tree}/modules/order", "w") as file:
        file.writelines(os.path.basename(path) + "\n" for path in order)
    with open(f"{work}/initrd", "wb") as file:
        subprocess.run("find . | cpio --quiet -o -H newc", shell=True, check=True, cwd=tree, stdout=file)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def configure(root):
    with open(f"{HERE}/guest_agent.py") as file:
        write(f"{root}/usr/local/sbin/hotpair-vm-agent", file.read(), 0o755)
    write(f"{root}/etc/systemd/system/hotpair-vm-agent.service", AGENT_UNIT)
    write(f"{root}/etc/systemd/system/cables.service", CABLES_UNIT)
    for card in CARDS:
        macs = " ".join(mac(machine, card) for machine in (1, 2, 3))
        write(f"{root}/etc/systemd/network/10-{card}.link", f"[Match]\nPermanentMACAddress={macs}\n[Link]\nName={card}\n")
    # QEMU's e1000e loses the interrupts of a pulled cable under MSI-X, and not under MSI.
    write(f"{root}/etc/modprobe.d/vm.conf", "options bonding max_bonds=0\noptions e1000e IntMode=1,1,1,1,1,1,1,1\n")
    write(f"{root}/etc/fstab", "packages /packages 9p trans=virtio,version=9p2000.L,ro,nofail 0 0\n")
    os.makedirs(f"{root}/packages", exist_ok=True)
    run("chroot", root, "systemctl", "--quiet", "enable", "hotpair-vm-agent", "cables")
    run("chroot", root, "systemctl", "--quiet", "mask", *MASKED)
    run("chroot", root, "systemctl", "--quiet", "set-default", "multi-user.target")


def digest_of(needed):
    digest = hashlib.sha256(" ".join(needed).encode())
    for name in ("image.py", "guest_init", "guest_agent.py"):
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def build(packages):
    """Makes the image unless it is there for just these files and dependencies."""
    needed = dependencies(packages)
    stamp, digest = f"{CACHE}/stamp", digest_of(needed)
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == digest:
                return
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        root = f"{work}/root"
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--include=" + ",".join([*PACKAGES, *needed]),
            *apt_options(), "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=force-unsafe-io", "bookworm", root, "-", input="\n".join(sources()))
        version = unpack_kernel(work, root)
        make_initramfs(work, root, version)
        configure(root)
        run("mke2fs", "-q", "-t", "ext4", "-m", "0", "-d", root, f"{work}/root.img", "2G")
        for name in ("vmlinux", "initrd", "root.img"):
            os.replace(f"{work}/{name}", f"{CACHE}/{name}")
    write(stamp, digest)


if __name__ == "__main__":
    build(sorted(glob.glob(f"{HERE}/../../build/package/hotpair_*.deb")))
