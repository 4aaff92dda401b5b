#!/usr/bin/env python3
"""House rules as a test: who may include whom, banned words by folder, sizes, leftovers.

Run without arguments on the tree; prints each breach as file:line: what, and why it matters.
--self-test feeds every rule one breach and fails when a rule stays silent.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CONTROL_SCHEMA = "agent/daemon/control_schema.hpp"
# part -> prefixes it may include (CONTRIBUTING.md, "Who may use whom")
ARROWS = {
    "platform/base": ["platform/base/"],
    "platform/linux": ["platform/linux/", "platform/base/"],
    "platform/config": ["platform/"],
    "agent/core": ["agent/core/", "platform/base/"],
    "dataplane/core": ["dataplane/core/", "platform/base/"],
    "dataplane/conntrack": ["dataplane/conntrack/", "dataplane/core/", "platform/"],
    "agent/daemon": ["agent/", "platform/", "dataplane/core/control.hpp"],
    "dataplane/dpdk": ["dataplane/", "platform/", CONTROL_SCHEMA],
    "tools/ctl": ["tools/ctl/", "platform/", CONTROL_SCHEMA],
    "tools/replay": ["tools/replay/", "agent/core/", "platform/"],  # the decisions are the core's
    "tools/bench": ["tools/bench/", "platform/", "dataplane/", CONTROL_SCHEMA],
}
CORES = ("agent/core", "dataplane/core", "platform/base")
CORE_HEADERS_BANNED = {
    "thread", "mutex", "condition_variable", "future", "iostream", "fstream", "filesystem", "random",
    "cerrno", "ctime", "unistd.h", "errno.h", "time.h",
}
# word -> (folders it is banned in, what to use instead)
BANNED = [
    (re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)\b"), CORES, "time comes in with the event"),
    (re.compile(r"\b(rand|srand|random_device)\b\s*[({;]"), CORES, "use the Rng handed in at construction"),
    (re.compile(r"\berrno\b"), CORES, "the cores never see the system"),
    (re.compile(r"\b(printf|puts|cout|cerr)\b"), ("agent/core", "dataplane/core"), "report through an action"),
    (re.compile(r"\b(usleep|sleep_for|sleep_until)\b"), CORES + ("agent/daemon", "dataplane/dpdk"), "await the event"),
    (re.compile(r"\b(strcpy|strcat|sprintf|gets)\s*\("), ("",), "bounded functions only"),
    (re.compile(r"#pragma\s+pack|__attribute__\(\(packed"), ("",), "wire formats are written by hand, byte by byte"),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), ("",), "finish it, or say in the README what is not there"),
]
MAX_LINE = 100
MAX_SOURCE_LINES = 600   # the stop; 400 is the aim
AIM_SOURCE_LINES = 400


def part_of(path):
    return "/".join(path.split("/")[:2])


def check_includes(path, lines):
    part = part_of(path)
    allowed = ARROWS.get(part)
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        kind, name = match.groups()
        if kind == '"' and "/" not in name:
            yield number, f'includes "{name}": name it from the root of the tree'
        elif kind == '"' and allowed and not any(name.startswith(a) for a in allowed):
            yield number, f'{part} may not use "{name}"; it may use {", ".join(allowed)}'
        elif kind == "<" and part in CORES and ("/" in name or name.endswith(".h") or name in CORE_HEADERS_BANNED):
            yield number, f"<{name}> does not belong in a core: the standard library without system, clock or thread"


def strip_comment(line):
    return line.split("//", 1)[0]


def check_words(path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, folders, instead in BANNED:
            text = line if "TODO" in pattern.pattern else strip_comment(line)
            if any(path.startswith(f) for f in folders) and pattern.search(text):
                yield number, f"'{pattern.search(text).group(0).strip()}' is banned here: {instead}"


def check_sizes(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE and "http" not in line and 'R"' not in line:
            yield number, f"{len(line)} columns, {MAX_LINE} is the limit"
    if len(lines) > MAX_SOURCE_LINES:
        yield len(lines), f"{len(lines)} lines: split it (aim under {AIM_SOURCE_LINES}, one concept a file)"


def check_header(path, lines):
    if path.endswith(".hpp"):
        if not any(line.startswith("#pragma once") for line in lines):
            yield 1, "a header begins with what it is, then #pragma once"
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with a comment: what it is, what it promises, what it never does"


CHECKS = (check_includes, check_words, check_sizes, check_header)


def breaches(path, text):
    lines = text.splitlines()
    for check in CHECKS:
        if check is not check_includes and path.startswith("tests/"):
            if check is not check_sizes:
                continue
        for number, what in check(path, lines):
            yield f"{path}:{number}: {what}"


def dead_sources(paths):
    """A header that nothing includes is not part of the program."""
    included = set()
    for path in paths:
        included.update(re.findall(r'#\s*include\s*"([^"]+)"', (ROOT / path).read_text()))
    for path in paths:
        if path.endswith(".hpp") and not path.startswith("tests/") and path not in included:
            yield f"{path}:1: nothing includes this header"


def folder_readmes():
    for folder in ("agent", "agent/daemon", "dataplane", "dataplane/conntrack", "dataplane/dpdk", "platform", "tests",
                   "tools", "systemd", "packaging", "tests/vm"):
        if not (ROOT / folder / "README.md").exists():
            yield f"{folder}/README.md:1: each folder has a short README"


def tracked(*patterns):
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", *patterns],
                         capture_output=True, text=True)
    if out.returncode == 0 and out.stdout:
        return [p for p in out.stdout.split("\n") if p and (ROOT / p).exists()]
    suffixes = tuple(p.lstrip("*") for p in patterns)
    return [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file() and p.name.endswith(suffixes)
            and "build" not in p.relative_to(ROOT).parts]


def self_test():
    silent = []
    cases = {
        "arrow": ("agent/core/x.cpp", '#include "platform/linux/clock.hpp"\n'),
        "system header in a core": ("dataplane/core/x.cpp", "#include <sys/socket.h>\n"),
        "thread in a core": ("agent/core/x.cpp", "#include <thread>\n"),
        "clock in a core": ("agent/core/x.cpp", "auto t = std::chrono::steady_clock::now();\n"),
        "sleep": ("agent/daemon/x.cpp", "usleep(5);\n"),
        "pack": ("dataplane/dpdk/x.cpp", "#pragma pack(1)\n"),
        "leftover": ("platform/linux/x.cpp", "// TO" + "DO later\n"),
        "long line": ("platform/linux/x.cpp", "x" * 101 + "\n"),
        "long file": ("platform/linux/x.cpp", "x\n" * 601),
        "bare include": ("agent/core/x.cpp", '#include "types.hpp"\n'),
        "header without comment": ("agent/core/x.hpp", "#pragma once\n"),
        "tools reach a core": ("tools/ctl/x.cpp", '#include "agent/core/node.hpp"\n'),
    }
    for name, (path, text) in cases.items():
        if not list(breaches(path, text)):
            silent.append(name)
    if list(breaches("agent/core/x.cpp", '#include <vector>\n\n#include "platform/base/time.hpp"\n')):
        silent.append("(a good file was refused)")
    print("tidy self-test:", "silent rules: " + ", ".join(silent) if silent else f"{len(cases)} rules speak")
    return 1 if silent else 0


def main():
    if "--self-test" in sys.argv:
        return self_test()
    paths = tracked("*.cpp", "*.hpp")
    found = [b for path in paths for b in breaches(path, (ROOT / path).read_text(errors="replace"))]
    found += list(dead_sources(paths)) + list(folder_readmes())
    print("\n".join(found) if found else f"{len(paths)} sources keep the house rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
