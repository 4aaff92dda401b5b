"""A disk with the packages installed, over the image: by dpkg on a running machine, once for these packages.

The story of the installation does without, and so shows on a bare machine what all others start from.
"""
import hashlib
import os
import subprocess

import image
from virtual_machine import Machine

INSTALL = "dpkg -i /packages/hotpair_*.deb /packages/hotpair-bench_*.deb"


def _digest(packages):
    with open(f"{image.CACHE}/stamp", "rb") as file:
        digest = hashlib.sha256(file.read())
    for path in packages:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def disk(directory, packages):
    """The disk's path; image.build() comes first. Takes a boot when the packages are new."""
    made, stamp, digest = f"{image.CACHE}/installed.qcow2", f"{image.CACHE}/installed.stamp", _digest(packages)
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == digest:
                return made
    machine = Machine(1, "installer", directory, os.path.dirname(packages[0]))
    try:
        machine.start().wait_until_up()
        machine.run(INSTALL, timeout=300)
        machine.power_off()
    finally:
        machine.end()
    subprocess.run(["mv", machine.disk, made], check=True)
    image.write(stamp, digest)
    return made
