"""One HTTP request from inside a node's namespace, over TCP or a Unix socket, byte by byte as written."""

import socket
import subprocess
import sys


def get(node, at, path="/metrics", method="GET", headers=None):
    """The status, the fields and the body of the answer; `at` is "192.0.2.1:80" or a path."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "test", **(headers or {})}.items())
    answer = talk(node, at, f"{method} {path} HTTP/1.1\r\n{fields}\r\n")
    head, _, body = answer.partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}, body


def talk(node, at, request, clients=0):
    """What comes back for `request` once `clients` others have connected and said nothing."""
    made = subprocess.run(["ip", "netns", "exec", node.netns, sys.executable, "-B", __file__, at, str(clients)],
                          input=request.encode(), capture_output=True, timeout=30, check=True)
    return made.stdout.decode()


def _connect(at):
    if at.startswith("/"):
        channel = socket.socket(socket.AF_UNIX)
        channel.connect(at)
        return channel
    host, port = at.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def _main(at, clients):
    silent = [_connect(at) for _ in range(clients)]
    with _connect(at) as channel:
        channel.sendall(sys.stdin.buffer.read())
        while chunk := channel.recv(65536):
            sys.stdout.buffer.write(chunk)
    for each in silent:
        each.close()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
