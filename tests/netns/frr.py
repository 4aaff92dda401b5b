"""FRR's zebra and bgpd in a namespace of the lab, from Debian's package: one router each."""

import os
import shutil
import subprocess
import tempfile
import time

from network import LabError, die_with_parent

FOLDER = "/usr/lib/frr"


def installed():
    return os.access(f"{FOLDER}/bgpd", os.X_OK) and os.access(f"{FOLDER}/zebra", os.X_OK)


class Router:
    """`inside` is the command that runs another one where the router lives, e.g. ["ip", "netns", "exec", name]. A
    context manager."""

    def __init__(self, inside, bgp):
        self._inside = inside
        self._bgp = bgp
        self._processes = []

    def __enter__(self):
        # FRR gives up root, and must reach its sockets then.
        self.directory = tempfile.mkdtemp(prefix="hotpair-frr-")
        shutil.chown(self.directory, "frr", "frr")
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        zserv = f"{self.directory}/zserv.api"
        if os.path.exists(zserv):
            os.unlink(zserv)
        self._run("zebra", "", zserv)
        deadline = time.monotonic() + 10
        while not os.path.exists(zserv):
            if time.monotonic() > deadline:
                raise LabError(f"zebra does not start: {self.log('zebra')}")
            time.sleep(0.02)
        self._run("bgpd", self._bgp, zserv)

    def stop(self):
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(timeout=10)
        self._processes = []

    def log(self, daemon):
        with open(f"{self.directory}/{daemon}.log", errors="replace") as file:
            return file.read()[-2000:]

    def _run(self, daemon, configuration, zserv):
        path = f"{self.directory}/{daemon}.conf"
        with open(path, "w") as file:
            file.write(configuration)
        command = [f"{FOLDER}/{daemon}", "--config_file", path, "--pid_file", f"{self.directory}/{daemon}.pid",
                   "--socket", zserv, "--vty_socket", self.directory, "--vty_port", "0",
                   "--log", "stdout"]
        with open(f"{self.directory}/{daemon}.log", "ab") as log:
            self._processes.append(subprocess.Popen(self._inside + command, stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=log, preexec_fn=die_with_parent))
