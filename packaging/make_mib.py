#!/usr/bin/python3
"""HOTPAIR-MIB from the list of events, so that a trap and what describes it cannot differ.

    packaging/make_mib.py --hotpair PATH >HOTPAIR-MIB.txt
"""
import argparse
import json
import re
import subprocess

HEAD = """-- Made by packaging/make_mib.py from the list of events that hotpair explain shows.
HOTPAIR-MIB DEFINITIONS ::= BEGIN

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, Integer32 FROM SNMPv2-SMI
    DisplayString FROM SNMPv2-TC
    netSnmpPlaypen FROM NET-SNMP-MIB;

hotpair MODULE-IDENTITY
    LAST-UPDATED "202611250000Z"
    ORGANIZATION "hotpair"
    CONTACT-INFO "man:hotpair-events(7)"
    DESCRIPTION  "The events of a hotpair firewall pair. Below netSnmpPlaypen, the branch for
                  what has no enterprise number of its own."
    ::= { netSnmpPlaypen 18512 }

hotpairEvents  OBJECT IDENTIFIER ::= { hotpair 0 }
hotpairObjects OBJECT IDENTIFIER ::= { hotpair 1 }
"""
OBJECTS = [
    ("hotpairEventId", "DisplayString (SIZE (0..255))", "The event's stable id, e.g. HP-1101."),
    ("hotpairEventLevel", "INTEGER { debug(0), info(1), notice(2), warning(3), error(4) }", "How serious this occurrence is."),
    ("hotpairEventText", "DisplayString (SIZE (0..255))", "What happened, in a sentence."),
    ("hotpairNodeName", "DisplayString (SIZE (0..255))", "The host name of the node that tells."),
    ("hotpairChassisId", "Integer32 (1..2)", "Its chassis_id."),
    ("hotpairGroupId", "Integer32 (0..1023)", "The pair's group_id."),
]


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def name_of(event):
    """path-dead -> hotpairPathDead"""
    return "hotpair" + "".join(word.capitalize() for word in re.split(r"-", event))


def mib(events):
    parts = [HEAD]
    for number, (name, syntax, meaning) in enumerate(OBJECTS, 1):
        parts.append(f"{name} OBJECT-TYPE\n    SYNTAX      {syntax}\n    MAX-ACCESS  accessible-for-notify\n"
                     f"    STATUS      current\n    DESCRIPTION {quoted(meaning)}\n    ::= {{ hotpairObjects {number} }}\n")
    names = ", ".join(name for name, _, _ in OBJECTS)
    for event in events:
        if event["event"].startswith(("alarm-", "mismatch-")):  # of the status, never told by themselves
            continue
        text = f"{event['meaning']} Causes: {event['causes']} Next: {event['next']}"
        parts.append(f"{name_of(event['event'])} NOTIFICATION-TYPE\n    OBJECTS     {{ {names} }}\n    STATUS      current\n"
                     f"    DESCRIPTION {quoted(text)}\n    ::= {{ hotpairEvents {int(event['id'][3:])} }}\n")
    return "\n".join(parts) + "\nEND"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hotpair", required=True)
    listed = subprocess.run([parser.parse_args().hotpair, "explain", "--json"], check=True, capture_output=True, text=True)
    print(mib(json.loads(listed.stdout)["events"]))


if __name__ == "__main__":
    main()
