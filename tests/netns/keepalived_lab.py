"""The lab with keepalived and conntrackd in hotpair's place: what most people run today, set up as their manuals say.

VRRP version 3 on both data networks, in one group; conntrackd FT-FW over the session-sync cable, its external cache
committed by the script that keepalived calls on the node that takes over.
"""

import os
import shutil
import subprocess

from lab import GATEWAYS, Lab
from network import LabError, child_of, die_with_parent, ip_batch, sysctl
from node import Node

KEEPALIVED, CONNTRACKD = "keepalived", "conntrackd"
OWN = {"lan": "192.0.2.{}/24", "wan": "198.51.100.{}/24", "dps0": "203.0.113.{}/24"}
CONNTRACKD_CONFIG = """
Sync {{
  Mode FTFW {{ ResendQueueSize 1048576 }}
  UDP {{
    IPv4_address {own}
    IPv4_Destination_Address {peer}
    Port 3780
    Interface {interface}
    SndSocketBuffer 33554432
    RcvSocketBuffer 33554432
    Checksum On
  }}
}}
General {{
  HashSize 262144
  HashLimit 16777216
  LogFile Off
  Syslog Off
  LockFile {run}/conntrackd.lock
  UNIX {{ Path {run}/conntrackd.ctl }}
  NetlinkBufferSize 16777216
  NetlinkBufferSizeMaxGrowth 67108864
  NetlinkOverrunResync 5
  Filter From Userspace {{ Protocol Accept {{ TCP UDP }} }}
}}
"""
# As conntrackd's own primary-backup.sh.
TAKE_OVER = """#!/bin/sh
for what in c f R B; do {conntrackd} -C {config}/conntrackd.conf -$what; done
"""
STAND_BY = """#!/bin/sh
for what in t n; do {conntrackd} -C {config}/conntrackd.conf -$what; done
"""


def conntrackd_config(chassis, interface, run_dir):
    return CONNTRACKD_CONFIG.format(own=f"203.0.113.{chassis + 1}", peer=f"203.0.113.{4 - chassis}", interface=interface,
                                    run=run_dir)


def vrrp_config(name, chassis, interval, folder, devices=None):
    """keepalived.conf of a node; `folder` has the scripts take-over and stand-by, `devices` are its names for the networks."""
    parts = ["global_defs {\n  router_id %s\n  vrrp_version 3\n  script_user root\n}" % name,
             "vrrp_sync_group edge {\n  group { lan wan }\n  notify_master %s/take-over\n"
             "  notify_backup %s/stand-by\n}" % (folder, folder)]
    for number, (network, (four, six)) in enumerate(GATEWAYS.items()):
        device = (devices or {}).get(network, network)
        parts.append(f"vrrp_instance {network} {{\n  state BACKUP\n  interface {device}\n"
                     f"  virtual_router_id {51 + number}\n  priority {110 - chassis}\n  nopreempt\n"
                     f"  advert_int {interval}\n  virtual_ipaddress {{ {four} }}\n"
                     f"  virtual_ipaddress_excluded {{ {six} }}\n}}")
    return "\n".join(parts) + "\n"


class KeepalivedNode(Node):
    """A firewall whose role follows VRRP: who holds the gateway's address is the primary."""

    def write_config(self, cluster=None, node=None):
        tool = program(CONNTRACKD)
        self.write_file("conntrackd.conf", conntrackd_config(self.chassis, "dps0", self.run_dir))
        for name, text in (("take-over", TAKE_OVER), ("stand-by", STAND_BY)):
            self.write_file(name, text.format(conntrackd=tool, config=self.config_dir))
            os.chmod(os.path.join(self.config_dir, name), 0o700)
        self.write_file("keepalived.conf", vrrp_config(self.name, self.chassis, self.lab.interval, self.config_dir))

    def start_daemons(self):
        ip_batch([f"address add {address.format(self.chassis + 1)} dev {device}" for device, address in OWN.items()],
                 netns=self.netns)
        sysctl(self.netns, {"net.ipv4.conf.all.arp_ignore": 1})
        self._run(CONNTRACKD, "-C", os.path.join(self.config_dir, "conntrackd.conf"))
        self.lab.wait("conntrackd to answer", lambda: os.path.exists(os.path.join(self.run_dir, "conntrackd.ctl")))
        self._run(KEEPALIVED, "--dont-fork", "--log-console", "--vrrp",
                  "--use-file", os.path.join(self.config_dir, "keepalived.conf"),
                  "--pid", os.path.join(self.run_dir, "keepalived.pid"),
                  "--vrrp_pid", os.path.join(self.run_dir, "vrrp.pid"))

    def role(self):
        held = self.addresses()
        gateways = {network: address[0].split("/")[0] for network, address in GATEWAYS.items()}
        mine = [network for network, address in gateways.items() if address in held.get(network, set())]
        return "primary" if len(mine) == len(gateways) else "backup" if not mine else "changing"

    def known_elsewhere(self):
        """Sessions of the peer that conntrackd keeps, to be put into the kernel at a takeover."""
        done = self.run_inside(program(CONNTRACKD), "-C", os.path.join(self.config_dir, "conntrackd.conf"), "-s",
                               check=False)
        section = done.partition("cache external:")[2]
        number = section.partition("current active connections:")[2].split()
        return int(number[0]) if number else 0

    def status(self):
        return {"role": self.role(), "in_sync": True}

    def _run(self, name, *arguments):
        with open(self.log_path(name), "ab") as log:
            outer = subprocess.Popen(self.inside([program(name), *arguments]), stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, preexec_fn=die_with_parent)
        self.processes[name] = (outer, child_of(outer.pid))


class KeepalivedLab(Lab):
    node_class = KeepalivedNode

    def __init__(self, build, interval, sessions=0):
        """`interval`: seconds between VRRP's advertisements."""
        for name in (KEEPALIVED, CONNTRACKD):
            program(name)
        self.interval = interval
        super().__init__(build, sessions=sessions)

    def evidence(self):
        return "\n".join(f"---- {node.name}: end of {name}'s log\n" + "\n".join(node.log(name).splitlines()[-25:])
                         for node in self.nodes for name in (KEEPALIVED, CONNTRACKD))


def program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not path:
        raise LabError(f"{name} is not installed: apt-get install {name}")
    return path
