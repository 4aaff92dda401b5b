"""A lab whose nodes can be upgraded: `hotpair` is in their $PATH, and a script does to the daemons what the
installation of a newer package does."""

import json
import os
import subprocess

from lab import Lab
from network import die_with_parent
from node import AGENT, DATAPLANE

# The daemons end and those of the next version start, which speaks one version of the protocol more.
SCRIPT = """#!/bin/sh
me={dir}/fw$HOTPAIR_CHASSIS_ID
stop() {{
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe")" = "$1" ] || continue
    grep -qx hotpair-warden "$process/comm" && continue  # it ends with its hotpaird
    kill "${{process#/proc/}}"
    while [ -e "$process/exe" ]; do sleep 0.05; done
  done
}}
start() {{
  program=$1; shift
  CREDENTIALS_DIRECTORY=$me/credentials setsid "$program" --config-dir "$me/etc" --run-dir "$me/run" \\
    --state-dir "$me/state" "$@" >>"$me/$(basename "$program").log" 2>&1 </dev/null &
}}
echo "unpacking hotpair"
stop {agent}
stop {dataplane}
start {dataplane}
start {agent} --protocol 1 2
echo "setting up hotpair"
"""


class UpgradeLab(Lab):
    """`self.script` is the command of an upgrade."""

    def form(self, timeout=30):
        path = os.path.join(self.dir, "upgrade.sh")
        with open(path, "w") as file:
            file.write(SCRIPT.format(dir=self.dir, agent=os.path.realpath(self.program(AGENT)),
                                     dataplane=os.path.realpath(self.program(DATAPLANE))))
        self.script = f"sh {path}"
        for node in self.nodes:
            self.put_in_path(node)
        super().form(timeout)
        for node in self.nodes:
            self.wait("the peer to listen", lambda n=node: self.hotpair(n, "peer", "exec", "true").returncode == 0)

    def put_in_path(self, node):
        """As an installed hotpair is; in a node's own mounts, so that they go with its power."""
        node.run_inside("mount", "--bind", os.path.dirname(self.program("hotpair")), "/usr/local/bin")

    def hotpair(self, node, *arguments):
        return subprocess.run(self._command(node, arguments), capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL)

    def upgrade(self, node, *arguments):
        """`hotpair upgrade` to its end."""
        return self.hotpair(node, *self._upgrade(node, arguments))

    def begin_upgrade(self, node, *arguments):
        """The same, going on: its output is readable, its signals are the caller's."""
        return subprocess.Popen(self._command(node, self._upgrade(node, arguments)), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)

    def run_of(self, node):
        """What `hotpair upgrade --status` tells of the run that was begun on the node."""
        return json.loads(self.upgrade(node, "--json", "--status").stdout)

    def step_of(self, node):
        """(kind, chassis id, state) of the step that its run is at."""
        run = self.run_of(node)
        step = next((s for s in run.get("steps", []) if s["state"] != "done"), {})
        return step.get("kind"), step.get("node"), step.get("state")

    def _upgrade(self, node, arguments):
        settle = ["--settle", "1s"] if "--command" in arguments else []
        return ["upgrade", "--state-dir", node.state_dir, *settle, *arguments]

    def _command(self, node, arguments):
        return node.inside([self.program("hotpair"), "--run-dir", node.run_dir, *arguments])
