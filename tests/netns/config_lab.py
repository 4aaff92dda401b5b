"""A lab whose nodes keep files in sync: each has a /mnt of its own, as two boxes have, and small helpers to use it."""

import subprocess

from lab import Lab

# What the nodes agree on, the commands that check and apply it, and files that make the commands misbehave.
CONFIG_SYNC = {
    "paths": ["/mnt/conf", "/mnt/rules.nft", "/mnt/own.conf"],
    "ignore": ["*.swp"],
    "substitute": ["/mnt/own.conf"],
    "apply": {"/mnt/conf": ["sh", "-c", "if test -e /mnt/hang; then sleep 60; fi; test ! -e /mnt/fail"],
              "/mnt/rules.nft": ["nft", "-f", "/mnt/rules.nft"]},
    "timeout": "2s",
    "rescan": "5s",
}


class ConfigLab(Lab):
    def __init__(self, build, state_size=None, **keys):
        super().__init__(build, cluster={"config_sync": {**CONFIG_SYNC, **keys}})
        self._state_size = state_size

    def __enter__(self):
        super().__enter__()
        try:
            for node in self.nodes:
                sh(node, "mount -t tmpfs -o size=256m tmpfs /mnt && mkdir /mnt/conf")
                if self._state_size:
                    own = f"{node.state_dir}/config-sync"
                    sh(node, f"mkdir {own} && mount -t tmpfs -o size={self._state_size} tmpfs {own}")
        except BaseException:
            self.close()
            raise
        return self

    def form(self, timeout=30):
        super().form(timeout)
        self.wait("a path for the cluster network",
                  lambda: all(n.status()["cluster_network"]["path"] is not None for n in self.nodes))
        self.wait("the configuration to be in sync", self.agreed)

    def agreed(self):
        return all(config(node)["in_sync"] == 1 for node in self.nodes)


def sh(node, script):
    """What a script prints that runs in the node; it fails the test when the script fails."""
    done = subprocess.run(node.inside(["sh", "-c", script]), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout


def holds(node, script):
    return subprocess.run(node.inside(["sh", "-c", script]), capture_output=True, timeout=30).returncode == 0


def config(node):
    return node.status()["config"]


def has(node, path, text):
    return subprocess.run(node.inside(["cat", path]), capture_output=True, text=True, timeout=30).stdout == text
