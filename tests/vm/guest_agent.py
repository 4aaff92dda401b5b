#!/usr/bin/python3
"""Runs what the tests ask for in a machine: a JSON line {"id", "command", "input", "timeout"} comes in by the virtual serial
port, a JSON line {"id", "status", "out", "err"} goes back. A command that takes too long is killed with all it started."""
import json
import os
import signal
import subprocess
import time

PORT = "/dev/virtio-ports/hotpair.exec"


def answer(request):
    process = subprocess.Popen(["/bin/sh", "-c", request["command"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True, cwd="/root",
                               env={**os.environ, "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    try:
        out, err = process.communicate(request.get("input", ""), timeout=request["timeout"])
        return {"status": process.returncode, "out": out, "err": err}
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return {"status": 124, "out": out, "err": err}


def serve(port):
    waiting = b""
    while True:
        read = port.read(1 << 16)
        if not read:
            waiting = b""
            time.sleep(0.05)  # nobody has the other end open; there is no event for that
            continue
        waiting += read
        while b"\n" in waiting:
            line, waiting = waiting.split(b"\n", 1)
            try:
                request = json.loads(line)
            except ValueError:
                continue  # the rest of what was said to this machine before it was reset
            left = memoryview(json.dumps({"id": request["id"], **answer(request)}).encode() + b"\n")
            while left:
                left = left[port.write(left):]


if __name__ == "__main__":
    while not os.path.exists(PORT):
        time.sleep(0.05)
    with open(PORT, "rb+", buffering=0) as channel:
        serve(channel)
