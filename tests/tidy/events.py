#!/usr/bin/env python3
"""Every event that is logged at notice or above has a row in platform/base/events.def, and every row is of an event.

Run without arguments on the tree; --self-test feeds the reader what it must see and what it must not.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ["debug", "info", "notice", "warning", "error"]
NEEDS_AN_ID = LEVELS.index("notice")
ROW = re.compile(r'^HOTPAIR_EVENT\((\d+), "([a-z0-9-]+)", (\w+),', re.M)
# log_.warning("name", ...), needs.log.error("name", ...), and report(Level::warning, "name", ...) in the core
LOGGED = re.compile(r'\b(?:log_?|log\(\))\s*(?:\.|->)(debug|info|notice|warning|error)\(')
REPORTED = re.compile(r'(?<!:)\breport\((?=[^;]*Level::)')
NOT_BY_LOG = ("alarm-", "mismatch-")  # of the status; unit tests see to these


def arguments(text, at):
    """The top-level arguments of a call whose parenthesis was opened just before `at`."""
    parts, depth, start, quoted = [], 0, at, False
    for i in range(at, len(text)):
        c = text[i]
        if quoted:
            quoted = not (c == '"' and text[i - 1] != "\\")
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if not quoted and (depth < 0 or (depth == 0 and c == ",")):
            parts.append(text[start:i].strip())
            start = i + 1
            if depth < 0:
                return parts
    return parts


def uses(text):
    """(level, names) of each record in a source; names is empty where none could be read."""
    for match in LOGGED.finditer(text):
        yield match[1], re.findall(r'"([a-z0-9-]+)"', arguments(text, match.end())[0])
    for match in REPORTED.finditer(text):
        level, name = arguments(text, match.end())[:2]
        highest = max((LEVELS.index(word) for word in re.findall(r"Level::(\w+)", level)), default=None)
        if highest is not None:
            yield LEVELS[highest], re.findall(r'"([a-z0-9-]+)"', name)


# Where the name is an argument of the function around it: its callers' literals.
PASSED_ON = {"agent/core/node_pursue.cpp": r'request_failed\("([a-z0-9-]+)"',
             "agent/core/node.cpp": None, "agent/daemon/reporter.cpp": None}


def check(catalog, sources):
    rows = {name: level for _, name, level in ROW.findall(catalog)}
    seen = set()
    for path, text in sources.items():
        found = list(uses(text))
        if PASSED_ON.get(path):
            found += [("error", [name]) for name in re.findall(PASSED_ON[path], text)]
        for level, names in found:
            seen.update(names)
            for name in names:
                needed = LEVELS.index(level) >= NEEDS_AN_ID
                if needed and name not in rows:
                    yield f"{path}: event '{name}' is logged and has no row in platform/base/events.def"
            # Of `up ? "good" : "bad"` with a level chosen alike, the more serious name has the more serious level.
            said = [LEVELS.index(rows[name]) for name in names if name in rows]
            if said and max(said) < LEVELS.index(level):
                yield f"{path}: event {names} is logged as {level}, its row says less"
            if not names and path not in PASSED_ON and LEVELS.index(level) >= NEEDS_AN_ID:
                yield f"{path}: a {level} whose event's name cannot be read: write it as a literal"
    for name in rows:
        if name not in seen and not name.startswith(NOT_BY_LOG):
            yield f"platform/base/events.def: '{name}' is logged nowhere"
    numbers = [int(number) for number, _, _ in ROW.findall(catalog)]
    if numbers != sorted(set(numbers)) or len(rows) != len(numbers):
        yield "platform/base/events.def: numbers rise, and no number or name stands twice"
    if len(numbers) != len(re.findall(r"^HOTPAIR_EVENT\(", catalog, re.M)):
        yield "platform/base/events.def: a row is not of the form (number, \"name\", level, ..."


def tree():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "agent", "dataplane", "platform"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split()
    return {path: (ROOT / path).read_text() for path in listed if path.endswith((".cpp", ".hpp"))}


def self_test():
    catalog = 'HOTPAIR_EVENT(1, "known", warning, "", "", "")\nHOTPAIR_EVENT(2, "low", notice, "", "", "")\n'
    used = 'log_.warning("known", f(a, "x"), {{"k", 1}}); log.notice("low", "");'
    cases = {
        used: 0,
        used + 'needs_.log.error("stranger", "text");': 1,
        used + 'report(Level::error, up ? "known" : "other", "");': 2,
        used + 'log_.info("quiet", "needs none");': 0,
        used + 'log_.error("low", "");': 1,
        used + 'log_.error(name, "");': 1,
        'log_.warning("known", "");': 1,
    }
    for text, expected in cases.items():
        found = list(check(catalog, {"a.cpp": text}))
        if len(found) != expected:
            sys.exit(f"self-test: {expected} breaches expected in {text!r}, found {found}")
    if not list(check(catalog + 'HOTPAIR_EVENT(2, "more", info, "", "", "")\n', {"a.cpp": used})):
        sys.exit("self-test: a number twice was not seen")


def main():
    self_test()
    if "--self-test" in sys.argv:
        return
    found = list(check((ROOT / "platform/base/events.def").read_text(), tree()))
    print("\n".join(found) if found else "every event has its id")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
