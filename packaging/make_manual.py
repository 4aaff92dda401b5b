#!/usr/bin/python3
"""Man pages from what the programs say of themselves, so that a page cannot tell of another version.

    packaging/make_manual.py --out DIR --hotpair PATH [PROGRAM_PATH...]

Writes PROGRAM.1 or .8 from each program's --help (and its commands' help), and node.yaml.5 and cluster.yaml.5
from `hotpair keys --json` with the examples that are shipped, hotpair-events.7 and the journal's catalog from `hotpair
explain --json`, and hotpair.bash, the completion. A help text without a description, options or
examples is a mistake and ends with status 1.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SECTIONS = {"hotpaird": 8, "hotpair-dataplane": 8, "hotpair": 8, "hotpair-bench": 1, "hotpair-replay": 1}
PURPOSE = {
    "hotpaird": "control-plane agent of a hotpair firewall pair",
    "hotpair-dataplane": "session replication of a hotpair firewall pair",
    "hotpair": "state and orders of a hotpair firewall pair",
    "hotpair-bench": "measure what a failover does to traffic",
    "hotpair-replay": "ask for the decisions of a recording again",
}
FILES = {
    "hotpaird": ["/etc/hotpair/node.yaml", "/etc/hotpair/cluster.yaml", "/etc/hotpair/password", "/run/hotpair/",
                 "/var/lib/hotpair/"],
    "hotpair-dataplane": ["/etc/hotpair/node.yaml", "/etc/hotpair/cluster.yaml", "/run/hotpair/"],
    "hotpair": ["/run/hotpair/hotpaird.control", "/run/hotpair/hotpair-dataplane.control"],
    "hotpair-bench": [],
    "hotpair-replay": ["/var/lib/hotpair/recordings/"],
}
FILE_PURPOSE = {"node.yaml": "what is this box's own in a hotpair firewall pair",
                "cluster.yaml": "what both boxes of a hotpair firewall pair have in common"}
FILE_INTRO = {
    "node.yaml": "/etc/hotpair/node.yaml names this box and its devices. It is never synchronised.",
    "cluster.yaml": "/etc/hotpair/cluster.yaml is the same on both boxes; they compare what it means, not how it is "
                    "written, and name a difference.",
}


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^\.", r"\\&.", text)


def heading(name, section, purpose, version):
    return [f'.TH "{name.upper()}" "{section}" "" "hotpair {version}" "hotpair"', ".SH NAME",
            f"{escaped(name)} \\- {purpose}"]


def preformatted(lines):
    return [".nf"] + [escaped(line) for line in lines] + [".fi"]


def ran(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def split_help(text):
    """(description, usage, blocks by title, closing lines) of what CLI11 prints."""
    lines = text.rstrip("\n").split("\n")
    usage = next(i for i, line in enumerate(lines) if line.startswith("Usage: "))
    blocks, closing, title = {}, [], None
    for line in lines[usage + 1:]:
        if re.fullmatch(r"(Options|Positionals|Subcommands):", line):
            title = line[:-1]
            blocks[title] = []
        elif title and (line.startswith("  ") or not line):
            blocks[title].append(line)
        else:
            title = None
            closing.append(line)
    return " ".join(lines[:usage]).strip(), lines[usage][len("Usage: "):], blocks, closing


def entries(block):
    """(name, meaning) of each row of a block: two columns, the second at 30 or on the next line."""
    found = []
    for line in block:
        if not line:
            continue
        if not line.startswith("   "):
            name, _, meaning = line.strip().partition("  ")
            if len(line) > 30 and line[29] == " " and not meaning:
                name, meaning = line[:30].strip(), line[30:]
            found.append([name.strip(), meaning.strip()])
        else:
            found[-1][1] = f"{found[-1][1]} {line.strip()}".strip()
    return found


def options(blocks):
    out = []
    for title in ("Positionals", "Options"):
        for name, meaning in entries(blocks.get(title, [])):
            out += [".TP", f".B {escaped(name)}", escaped(meaning)]
    return out


def sub_command(program, name):
    description, usage, blocks, closing = split_help(ran(program, name, "--help"))
    return [f'.SS "{escaped(usage)}"', escaped(description) + ".", *options(blocks), ".PP", *preformatted(closing)]


def program_page(path, version):
    name = os.path.basename(path)
    description, usage, blocks, closing = split_help(ran(path, "--help"))
    if not description or "Options" not in blocks:
        sys.exit(f"make_manual: the help of {name} lacks its description or options")
    page = heading(name, SECTIONS[name], PURPOSE[name], version)
    page += [".SH SYNOPSIS", f".B {escaped(usage)}", ".SH DESCRIPTION", escaped(description), ".SH OPTIONS"]
    page += options(blocks)
    commands = [row[0] for row in entries(blocks.get("Subcommands", []))]
    if commands:
        page += [".SH COMMANDS"]
        for command in commands:
            page += sub_command(path, command)
    if any(closing):
        page += [".SH NOTES", *preformatted(closing)]
    if FILES[name]:
        page += [".SH FILES"] + [line for file in FILES[name] for line in (".TP", f".I {escaped(file)}")]
    others = [f".BR {escaped(other)} ({section})" for other, section in sorted(SECTIONS.items()) if other != name]
    others += [".BR node.yaml (5)", ".BR cluster.yaml (5)"]
    return page + [".SH SEE ALSO", *(f"{line}," for line in others[:-1]), others[-1]]


def file_page(name, keys, version):
    page = heading(name, 5, FILE_PURPOSE[name], version)
    page += [".SH DESCRIPTION", escaped(FILE_INTRO[name]),
             "Unknown keys, wrong types and values out of range are named with file and line, and a running pair keeps "
             "running on what it had. Durations are written with a unit: ns us ms s m h.",
             ".B hotpaird \\-\\-check\\-config", "tells whether both files are good.", ".SH KEYS",
             "A dot leads into a map or into the items of a list; * stands for a key of one\\(aqs own choice."]
    for key in keys:
        facts = [f"Allowed: {key['allowed']}."]
        if key["required"]:
            facts.append("Required where the map above it is given." if "." in key["key"] else "Required.")
        elif key["default"]:
            facts.append(f"Default: {key['default']}.")
        page += [".TP", f".B {escaped(key['key'])}", escaped(key["meaning"]), ".br", escaped(" ".join(facts))]
    with open(os.path.join(ROOT, "systemd", f"{name}.example")) as file:
        page += [".SH EXAMPLE", *preformatted(file.read().rstrip("\n").split("\n"))]
    return page + [".SH SEE ALSO", ".BR hotpaird (8),", ".BR hotpair (8)"]


def events_page(events, version):
    page = heading("hotpair-events", 7, "what the log and the alarms of a hotpair firewall pair mean", version)
    page += [".SH DESCRIPTION", "Every record of the journal at the level notice or above has an id that never changes, in the "
             "field HOTPAIR_ID; so has every alarm and mismatch in the status.", ".B hotpair explain ID", "shows the same as this "
             "page, and", ".B journalctl \\-x", "with each record. The journal finds an event by",
             ".B journalctl HOTPAIR_ID=HP\\-1101", "or by its MESSAGE_ID.", ".SH EVENTS"]
    for event in events:
        page += [".TP", f".B {escaped(event['id'])} {escaped(event['event'])} ({event['level']})", escaped(event["meaning"]),
                 ".br", escaped(f"Causes: {event['causes']}"), ".br", escaped(f"Next: {event['next']}")]
    return page + [".SH SEE ALSO", ".BR hotpair (8),", ".BR hotpaird (8),", ".BR journalctl (1)"]


def catalog(events):
    """For `journalctl -x`: systemd's message catalog format."""
    entry = ("-- {message_id}\nSubject: {id} {event}\nDefined-By: hotpair\nSupport: man:hotpair-events(7)\n"
             "Documentation: man:hotpair-events(7)\n\n{meaning}\n\nLikely causes: {causes}\n\nNext: {next}\n")
    return "\n".join(entry.format(**event) for event in events).rstrip("\n").split("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hotpair", required=True)
    parser.add_argument("programs", nargs="*")
    arguments = parser.parse_args()
    version = json.loads(ran(arguments.hotpair, "--run-dir", "/nonexistent", "version", "--json"))["hotpair"]
    os.makedirs(arguments.out, exist_ok=True)
    pages = {f"{name}.5": file_page(name, keys, version)
             for name, keys in json.loads(ran(arguments.hotpair, "keys", "--json")).items() if name != "ok"}
    for path in [arguments.hotpair, *arguments.programs]:
        name = os.path.basename(path)
        pages[f"{name}.{SECTIONS[name]}"] = program_page(path, version)
    events = json.loads(ran(arguments.hotpair, "explain", "--json"))["events"]
    pages["hotpair-events.7"] = events_page(events, version)
    pages["hotpair.catalog"] = catalog(events)
    pages["hotpair.bash"] = [ran(arguments.hotpair, "completion").rstrip("\n")]
    for file, page in pages.items():
        with open(os.path.join(arguments.out, file), "w") as out:
            out.write("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
