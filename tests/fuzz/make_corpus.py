#!/usr/bin/env python3
"""Writes the seeds in corpus/: the documented frames of both WIRE.md, a small configuration, requests, and what
this machine's kernel says of its loopback device and of one flow. Run again when a format has changed:

    sudo unshare --net tests/fuzz/make_corpus.py
"""
import socket
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).resolve().parent / "corpus"


def put(target, name, content):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(content)


def sized(frame):
    return struct.pack(">H", len(frame)) + frame


def heartbeats():
    text = (ROOT / "agent/WIRE.md").read_text()
    dump = text.split("<!-- vector: heartbeat -->\n```\n")[1].split("```")[0]
    frame = bytes.fromhex("".join(line[5:] for line in dump.splitlines()))
    greeting = frame[:5] + b"\x02" + frame[6:]
    put("heartbeat_wire", "documented", frame[64:-16])
    put("association", "documented", b"\x01" + sized(frame))
    put("association", "greeted", b"\x00" + sized(greeting) + b"\x00" + sized(frame))
    mac = [b"\x02HP\x00\x07" + bytes([chassis]) for chassis in (1, 2)]
    network = b"HPHB\x01\x03\x00\x07\x02\x01" + bytes(38) + struct.pack(">QQ", 5, 0)
    ethernet = mac[0] + mac[1] + b"\x08\x00" + bytes(46)
    put("cluster", "ethernet", b"\x01" + sized(network + ethernet + bytes(16)))
    put("cluster", "glob", b"\x00" + sized(b"/etc/[a-z]*.d/**/etc/a.d/x/{{chassis_id}}"))


def routes():
    text = (ROOT / "agent/WIRE.md").read_text().split("## Route sync")[1]
    key, value = (bytes.fromhex(text.split(f"\n{name}")[1].split("\n")[0]) for name in ("key ", "value "))
    neighbour = bytes([2, 0, 192, 0, 2, 7, 3]) + b"lan", bytes([2, 0, 0, 0, 0, 7])
    put("routes", "offer", b"\x01" + struct.pack(">II", 1, 64) + bytes(64 * 8))
    put("routes", "entries", b"\x03" + b"".join(bytes([len(k)]) + k + struct.pack(">H", len(v)) + v
                                                for k, v in ((key, value), neighbour)))
    put("routes", "outcome", b"\x05\x01" + struct.pack(">IIII", 1, 2, 3, 4) + b"Network is down")


def dataplane_dumps():
    dumps, name = {}, None
    for line in (ROOT / "dataplane/WIRE.md").read_text().splitlines():
        if line.startswith("```"):
            name = line[7:] if line.startswith("```hex ") else None
        elif name:
            dumps[name] = dumps.get(name, b"") + bytes.fromhex("".join(line.split(";")[0].split()))
    return dumps


def dataplane():
    for name, dump in dataplane_dumps().items():
        if name.startswith("control-"):
            put("control", name, dump)
        if name.startswith("frame-"):
            put("replication", name + "-at-the-backup", b"\x00" + sized(dump))
            put("replication", name + "-at-the-primary", b"\x01" + sized(dump))


def probes():
    ours, theirs = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x07"
    address, target = socket.inet_aton("192.0.2.7"), socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2) + theirs + address + ours + bytes(4)
    advertisement = struct.pack(">BBHI", 136, 0, 0, 0x60000000) + target + b"\x02\x01" + theirs
    echo = struct.pack(">BBHHHQ", 0, 0, 0, 7, 1, 0x0123456789abcdef)
    put("probes", "arp-answer", b"\0" + arp)
    put("probes", "neighbour-answer", b"\1" + advertisement)
    put("probes", "echo-answer", b"\2" + b"\x45" + bytes(8) + b"\x01" + bytes(10) + echo)
    put("probes", "echo-answer-of-ipv6", b"\3\x81" + echo[1:])
    put("probes", "arp", b"\4" + ours + theirs + b"\x08\x06" + arp)
    put("probes", "advertisement", b"\5" + advertisement)


def config_messages():
    entry = f'[1, 420, 0, 0, 7, "{"ab" * 32}"]'
    put("config_messages", "manifest", f'0[["/etc/nftables.conf", {entry}], ["/etc/frr", [3, 493, 0, 0, 0, "{"00" * 32}"]]]'.encode())
    put("config_messages", "operations", f'1[["/etc/nftables.conf", {entry}, null, true]]'.encode())


def ruleset():
    def part(content):
        return struct.pack(">H", len(content)) + content
    key = struct.pack("=HH", 12, 1) + struct.pack("=HH", 8, 1) + bytes([192, 0, 2, 1])
    end = struct.pack("=HH", 16, 0x1fff) + key
    data = struct.pack("=HH", 8, 2) + bytes(4)
    name = b"\x04inet\x06filter\x09blocklist"
    put("ruleset", "elements", b"0\x03" + name + b"\x01" + part(key) +
        b"\x02" + part(key + end) + part(data) + part(b"") + struct.pack(">QQ", 3600000, 1000))
    put("ruleset", "text", b"1table inet filter {\n\tflags dormant\n\n\tset blocklist {\n\t\ttype ipv4_addr\n\t\tflags timeout\n"
        b"\t\telements = { 192.0.2.1 comment \"a } b\",\n\t\t\t     192.0.2.2 }\n\t}\n\n\tchain in {\n"
        b"\t\ttype filter hook input priority filter; policy accept;\n\t\tjump {\n\t\t\taccept\n\t\t}\n\t}\n}\n")
    put("ruleset", "have", b'2{"checksum": "ab", "empty": false, "agreement": {"own": "ab", "peer": "cd"}, "refuses": ""}')
    put("ruleset", "outcome", b'2{"ok": true, "error": "", "elements": 3, "digest": 18446744073709551615, "kept": "/x"}')


def config():
    node = "chassis_id: 1\nheartbeat_interfaces:\n  - { interface: ha0, vlan: 999 }\n"
    cluster = ("group_id: 7\ngroup_name: edge\npassword_file: /etc/hotpair/password\n"
               "heartbeat: { interval: 10ms, lost_threshold: 4 }\n"
               'redundant_interfaces:\n  - { interface: lan, addresses: [192.0.2.1/24, "2001:db8:1::1/64"] }\n'
               "monitor: { interfaces: [lan] }\n")
    put("config", "small", (node + "\0" + cluster).encode())


def commands():
    for request in ('{"command":"status"}', '{"command":"history","limit":3}', '{"command":"failover","force":true}',
                    '{"command":"force","state":"backup"}', '{"command":"password","action":"switch"}', "not json"):
        name = "".join(c if c.isalnum() else "-" for c in request).strip("-")
        put("commands", name, request.encode() + b"\n")


def netlink(protocol, message):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as s:
        s.settimeout(2)
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(message[1]), message[0], 0x301, 1, 0) + message[1])
        data = s.recv(65536)
        length, kind = struct.unpack_from("=IH", data)
        return data[:length] if kind != 3 else None


def kernel():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    rtm_getlink, ctnl_get = 18, (1 << 8) | 1
    put("link", "loopback", netlink(socket.NETLINK_ROUTE, (rtm_getlink, bytes(16))))
    rtm_getroute, rtm_getneigh = 26, 30
    subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="""link add d0 type veth peer name d1
        link set d0 up
        address add 192.0.2.1/24 dev d0
        route add 203.0.113.0/24 table 7 mtu 1400 nexthop via 192.0.2.7 weight 3 nexthop via 192.0.2.8
        neighbour add 192.0.2.7 lladdr 02:00:00:00:00:07 dev d0 nud permanent\n""")
    for message in dump(rtm_getroute, socket.NETLINK_ROUTE, b"\x02" + bytes(11)):
        if socket.inet_aton("203.0.113.0") in message:
            put("link", "route", message)
    put("link", "neighbour", next(dump(rtm_getneigh, socket.NETLINK_ROUTE, b"\x02" + bytes(11))))
    subprocess.run(["nft", "-f", "-"], check=True, text=True,
                   input="table inet t { chain o { type filter hook output priority 0; ct state new accept; }; }")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("127.0.0.1", 9))
    flow = netlink(12, (ctnl_get, bytes(4)))
    if flow:
        put("conntrack", "udp", flow)
    special_flows()


def dump(message_type, protocol=12, question=bytes(4)):
    """Every message of a netlink dump, ctnetlink's unless said."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as s:
        s.settimeout(2)
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(question), message_type, 0x301, 1, 0) + question)
        while True:
            data = s.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (2, 3):
                    return
                yield data[:length]
                data = data[(length + 3) & ~3:]


def special_flows():
    """A labelled FTP control connection whose helper expects a data connection, and an SCTP association's beginning."""
    subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""table inet s {
      ct helper ftp { type "ftp" protocol tcp; }
      chain o { type filter hook output priority 0; tcp dport 21 ct helper set "ftp" ct label set 9; }
    }""")
    with socket.create_server(("127.0.0.1", 21)) as listener, socket.create_connection(("127.0.0.1", 21)) as client:
        server, _ = listener.accept()
        for line in (b"USER x\r\n", b"PORT 127,0,0,1,200,10\r\n"):  # the helper reads on from the end of a line
            client.sendall(line)
            server.recv(100)
        # INIT of SCTP (RFC 9260): ports, tag 0, checksum over it; a wrong one is tracked where checksums are not looked at.
        Path("/proc/sys/net/netfilter/nf_conntrack_checksum").write_text("0")
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, 132) as raw:
            raw.sendto(struct.pack(">HHII", 4000, 9899, 0, 0) + struct.pack(">BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1),
                       ("127.0.0.1", 0))
        ctnl_get, expectation_get = (1 << 8) | 1, (2 << 8) | 1
        for message in dump(ctnl_get):
            name = {21: "ftp-control", 9899: "sctp"}.get(next((port for port in (21, 9899) if struct.pack(">H", port)
                                                              in message), 0))
            if name:
                put("conntrack", name, message)
        for message in dump(expectation_get):
            put("conntrack", "expectation", message)
        server.close()


if __name__ == "__main__":
    heartbeats()
    routes()
    dataplane()
    probes()
    config()
    config_messages()
    ruleset()
    commands()
    kernel()
