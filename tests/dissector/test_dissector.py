#!/usr/bin/env python3
"""The dissector says of the documented frames what the documents say, and of damaged ones that they are.

Skipped (exit status 77) where there is no tshark.
"""
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/dissector/hotpair.lua"
KEY = "11" * 32
ETHERNET = bytes.fromhex("034850010007" "020000000001" "9890")


def dumps():
    text = (ROOT / "dataplane/WIRE.md").read_text()
    found = re.findall(r"^```hex ([\w-]+)\n(.*?)^```", text, re.S | re.M)
    return {name: bytes.fromhex("".join(line.split(";")[0] for line in body.splitlines())) for name, body in found}


def heartbeat():
    text = (ROOT / "agent/WIRE.md").read_text()
    dump = text.split("<!-- vector: heartbeat -->\n```\n")[1].split("```")[0]
    return bytes.fromhex("".join(line[5:] for line in dump.splitlines()))


def capture(frames):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame in frames:
        out += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    return out


def dissect(frames, keys):
    with tempfile.TemporaryDirectory() as folder:
        pcap, key_file = Path(folder) / "frames.pcap", Path(folder) / "keys"
        pcap.write_bytes(capture(frames))
        key_file.write_text(keys)
        command = ["tshark", "-X", f"lua_script:{SCRIPT}", "-o", f"hotpair_sync.key_file:{key_file}", "-r", str(pcap), "-V"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or "Lua" in done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


class Dissector(unittest.TestCase):
    sealed = dumps()["sealed-frame-data"]

    def test_a_sealed_frame_is_opened_and_its_records_are_told(self):
        text = dissect([self.sealed], f"1 {KEY}\n")
        self.assertIn("Body: data (1)", text)
        self.assertIn("Sequence: 99", text)
        self.assertIn("create 7: tcp 192.0.2.10:40000 > 198.51.100.20:443", text)
        self.assertIn("established, 432000 s", text)
        self.assertIn("delete 8", text)
        self.assertNotIn("Malformed", text)

    def test_a_hello_of_a_port_is_opened_too(self):
        text = dissect([dumps()["sealed-frame-hello"]], f"1 {KEY}\n")
        for line in ("Port: 1", "Hears the peer: True", "Has several ports: True", "Longest frame taken: 9014",
                     "Longest frame received: 4014"):
            self.assertIn(line, text)
        self.assertNotIn("Malformed", text)

    def test_without_the_key_or_with_another_nothing_of_the_body_is_told(self):
        for keys, why in (("", "no key of this id"), ("1 " + "33" * 32, "the seal does not verify")):
            text = dissect([self.sealed], keys)
            self.assertIn(why, text)
            self.assertNotIn("192.0.2.10:40000", text)
            self.assertIn("Key id: 1", text)

    def test_a_changed_or_cut_frame_is_told_from_a_good_one(self):
        changed = self.sealed[:60] + bytes([self.sealed[60] ^ 1]) + self.sealed[61:]
        self.assertIn("the seal does not verify", dissect([changed], f"1 {KEY}\n"))
        for size in range(15, len(self.sealed), 9):
            self.assertNotIn("delete 8", dissect([self.sealed[:size]], f"1 {KEY}\n"))

    def test_the_clear_header_of_a_heartbeat_is_shown_also_when_it_is_relayed(self):
        beat = heartbeat()
        relayed = struct.pack(">4sBBHBBHIQ", b"HPSY", 3, 2, 7, 1, 0, len(beat), 0, 0) + beat
        for content in (beat, relayed):
            text = dissect([ETHERNET + content], "")
            self.assertIn("hotpair heartbeat", text)
            self.assertRegex(text, "Echoed salt: [0-9a-f]{32}")


if __name__ == "__main__":
    if shutil.which("tshark") is None:
        print("tshark is not installed; apt-get install tshark")
        sys.exit(77)
    unittest.main()
