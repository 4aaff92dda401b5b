"""The `hotpair` command, and daemons for it that are only a script: every answer they can give, and none."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HOTPAIR = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/tools/ctl/hotpair"
if "HOTPAIR_BUILD" in os.environ:
    HOTPAIR = os.path.join(os.environ["HOTPAIR_BUILD"], "tools/ctl/hotpair")


def node(name, role, **more):
    health = {"forced": "none", "bandwidth_gbps": 20, "good_lags": 0, "management_link": True, "failed_modules": 0,
              "uptime_s": 7300, "priority": 128, "serial": f"LAB-{name}"}
    return {"chassis_id": int(name[-1]), "hostname": name, "serial": f"LAB-{name}", "role": role, "epoch": 12,
            "role_since": "2026-03-01T12:00:00.000Z", "role_seconds": 3720, "reason": "its reason", "forced": "none",
            "addresses_held": role == "primary", "health": health, "dataplane_alive": True, "sessions": 1234567,
            "lost_interfaces": [], "alive": True, "last_heard_ms": 4, "version": "0.1.0", **more}


def status(**more):
    return {
        "ok": True, "version": "0.1.0", "time": "2026-03-01T13:02:00Z", "group_id": 7, "group_name": "lab",
        "role": "primary", "epoch": 12, "in_sync": True, "node": node("fw1", "primary"), "peer": node("fw2", "backup"),
        "session_pickup": True,
        "replication": {"in_sync": True, "lag_sessions": 0, "lag_us": 300, "sessions_local": 9, "sessions_peer": 9},
        "election": {"winner": 1, "criterion": "serial", "winner_value": "B", "loser_value": "A"},
        "suppressed": "", "conflict": "", "dual_primary": False, "dual_primary_episodes": 0,
        "heartbeat_paths": [
            {"path": 0, "kind": "heartbeat", "interface": "ha0", "vlan": 999, "link_up": True, "alive": True,
             "best": True, "last_heard_ms": 3, "received": 1000, "lost": 0, "heard_by_peer": True},
            {"path": 1, "kind": "heartbeat", "interface": "ha1", "vlan": 999, "link_up": False, "alive": False,
             "best": False, "last_heard_ms": None, "received": 0, "lost": 7, "heard_by_peer": False}],
        "data_interfaces": [{"name": "lan", "device": "ens3f0", "present": True, "up": True, "speed_mbps": 10000,
                             "logical_system": ""}],
        "addresses": [{"interface": "lan", "device": "ens3f0", "address": "192.0.2.1/24", "held": True}],
        "mismatches": [], "rejected": {}, "warnings": [], "alarms": [], **more}


def healthy(**more):
    answer = status(**more)
    answer["heartbeat_paths"][1].update(link_up=True, alive=True, last_heard_ms=3, heard_by_peer=True)
    return answer


class FakeDaemon:
    """Listens where a daemon would and answers each command with what the test says."""

    def __init__(self, run_dir, name, answers):
        self.requests = []
        self._answers = answers
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.path.join(run_dir, f"{name}.control"))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            with channel, channel.makefile("rwb") as stream:
                for line in stream:
                    request = json.loads(line)
                    self.requests.append(request)
                    answer = self._answers[request["command"]]
                    answer = answer(request) if callable(answer) else answer
                    stream.write((answer if isinstance(answer, str) else json.dumps(answer)).encode() + b"\n")
                    stream.flush()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class CommandTest(unittest.TestCase):
    """A run directory of its own, the daemons that the test puts there, and the command."""

    def setUp(self):
        self._dir = tempfile.TemporaryDirectory()
        self.addCleanup(self._dir.cleanup)

    def agent(self, **answers):
        daemon = FakeDaemon(self._dir.name, "hotpaird", answers)
        self.addCleanup(daemon.close)
        return daemon

    def dataplane(self, **answers):
        daemon = FakeDaemon(self._dir.name, "hotpair-dataplane", answers)
        self.addCleanup(daemon.close)
        return daemon

    def hotpair(self, *arguments):
        done = subprocess.run([HOTPAIR, "--run-dir", self._dir.name, *arguments], capture_output=True, text=True,
                              timeout=20)
        return done.returncode, done.stdout, done.stderr
