"""Packages of the version after this one, made of this one's: only its number differs, and what its agent says it speaks.

The agent has an option for that, as a pair in namespaces is tried with: the next version of the protocol, and this one.
"""
import glob
import os
import re
import subprocess
import tempfile

VERSION = "999.0"
UNIT = "lib/systemd/system/hotpaird.service"


def _edit(path, pattern, replacement):
    with open(path) as file:
        text, count = re.subn(pattern, replacement, file.read(), flags=re.M)
    if count != 1:
        raise ValueError(f"{path}: {pattern} is there {count} times")
    with open(path, "w") as file:
        file.write(text)


def make(packages, protocol):
    """Makes them in a folder `next` beside the packages; `protocol`: (lowest, highest)."""
    into = os.path.join(packages, "next")
    os.makedirs(into, exist_ok=True)
    for old in glob.glob(f"{into}/*.deb"):
        os.remove(old)
    for path in (glob.glob(f"{packages}/{name}_*.deb")[0] for name in ("hotpair", "hotpair-bench")):
        with tempfile.TemporaryDirectory() as tree:
            subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
            _edit(f"{tree}/DEBIAN/control", r"^Version: .*$", f"Version: {VERSION}")
            if os.path.exists(f"{tree}/{UNIT}"):
                _edit(f"{tree}/{UNIT}", r"^(ExecStart=.*)$", rf"\1 --protocol {protocol[0]} {protocol[1]}")
                _edit(f"{tree}/DEBIAN/md5sums", rf"^.* {UNIT}\n", "")  # it is another file now
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, into], check=True,
                           stdout=subprocess.DEVNULL)
