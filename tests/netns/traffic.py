"""Traffic through the lab: hotpair-bench at both ends, and its reports as Python objects."""

import json
import subprocess
import threading
from queue import Empty, Queue

from lab import SERVER4, SERVER6
from network import LabError, die_with_parent


class Traffic:
    """TCP connections and 1 ms datagram streams from the client to the server, over IPv4 and IPv6."""

    def __init__(self, lab, tcp=200, udp_interval_ms=1, tcp_interval_ms=100, settle_s=5):
        self._lab = lab
        self._tcp = tcp
        self._options = ["--tcp", str(tcp), "--udp-interval", str(udp_interval_ms), "--tcp-interval",
                         str(tcp_interval_ms), "--settle", str(settle_s)]
        self._programs = []
        self._readers = []
        self._events = Queue()

    def __enter__(self):
        try:
            self._start("server", ["serve"], wait_for="serving")
            self._client, self.opened = self._start(
                "client", ["flows", "--server4", SERVER4, "--server6", SERVER6, *self._options], wait_for="ready")
        except BaseException:
            self.close()
            raise
        if self.opened["alive"] != self._tcp:
            self.close()
            raise LabError(f"of {self._tcp} connections only {self.opened['alive']} opened: {self.opened['reasons']}")
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for program in reversed(self._programs):
            program.kill()
            program.wait()
        for reader in self._readers:
            reader.join()
        for program in self._programs:
            program.stdin.close()
            program.stdout.close()

    def mark(self, name):
        """What happens from now on is measured."""
        self._say(f"mark {name}")
        self._await("marked")

    def report(self):
        """Ends the measurement; proves which connections are alive."""
        self._say("report")
        return Report(self._await("report", timeout=30))

    def _start(self, place, arguments, wait_for):
        command = ["ip", "netns", "exec", self._lab.prefix + place, self._lab.program("hotpair-bench"), *arguments]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_parent)
        self._programs.append(program)
        self._readers.append(threading.Thread(target=self._read, args=(program.stdout,), daemon=True))
        self._readers[-1].start()
        return program, self._await(wait_for, timeout=20)

    def _read(self, stream):
        for line in stream:
            self._events.put(json.loads(line))

    def _say(self, command):
        self._client.stdin.write(command + "\n")
        self._client.stdin.flush()

    def _await(self, event, timeout=10):
        try:
            while True:
                found = self._events.get(timeout=timeout)
                if found["event"] == event:
                    return found
        except Empty:
            raise LabError(f"hotpair-bench did not say '{event}' within {timeout} s") from None


class Report:
    """What a window of traffic lived through; milliseconds."""

    def __init__(self, event):
        self.raw = event
        self.udp = event["udp"]
        tcp = event["tcp"]
        self.connections, self.alive, self.reasons = tcp["connections"], tcp["alive"], tcp["reasons"]
        self.stall = tcp["longest_stall_ms"]
        self.silence = max(stream["longest_silence_ms"] for stream in self.udp)
        self.lost = sum(stream["lost"] for stream in self.udp)
        self.sent = sum(stream["sent"] for stream in self.udp)
        # How long the measuring program itself did not get to run: silence is not sharper than this.
        self.blur = max(stream["longest_send_pause_ms"] for stream in self.udp)

    @property
    def all_alive(self):
        return self.alive == self.connections

    def __str__(self):
        dead = "" if self.all_alive else f" ({self.reasons})"
        return (f"longest UDP silence {self.silence:.1f} ms, {self.lost} of {self.sent} datagrams lost; "
                f"longest TCP stall {self.stall:.0f} ms; {self.alive} of {self.connections} connections alive{dead}")
