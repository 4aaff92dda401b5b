"""A strict reader of OpenMetrics text: what it returns was valid, what is not raises ValueError.

    families = parse(text)
    families["hotpair_epoch"].value(node="self")
"""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = rf'({_NAME})="((?:[^"\\\n]|\\["\\n])*)"'
_SAMPLE = re.compile(rf'({_NAME})(?:\{{((?:{_LABEL})(?:,(?:{_LABEL}))*)\}})? (\S+)')
_SUFFIXES = {"gauge": [""], "counter": ["_total"], "info": ["_info"], "stateset": [""],
             "histogram": ["_bucket", "_count", "_sum"]}


class Family:
    def __init__(self, name):
        self.name, self.kind, self.unit, self.help = name, None, None, None
        self.samples = {}  # (name with suffix, labels as a frozenset of pairs) -> float

    def value(self, suffix="", **labels):
        return self.samples.get((self.name + suffix, frozenset(labels.items())))

    def values(self, **labels):
        """Of every sample that has these labels, among others."""
        return [value for (_, have), value in self.samples.items() if set(labels.items()) <= have]


def parse(text):
    if not text.endswith("# EOF\n"):
        raise ValueError("it does not end with # EOF")
    families, current = {}, None
    for number, line in enumerate(text[:-len("# EOF\n")].splitlines(), 1):
        try:
            current = _line(line, families, current)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}: {line}") from None
    for family in families.values():
        _check(family)
    return families


def _line(line, families, current):
    if not line.startswith("# "):
        _sample(line, current)
        return current
    keyword, name, rest = (line[2:].split(" ", 2) + ["", ""])[:3]
    if keyword not in ("TYPE", "UNIT", "HELP"):
        raise ValueError("no such keyword")
    if current is None or current.name != name:
        if name in families:
            raise ValueError("the family is begun twice")
        current = families[name] = Family(name)
    if current.samples:
        raise ValueError("what describes a family comes before its samples")
    field = {"TYPE": "kind", "UNIT": "unit", "HELP": "help"}[keyword]
    if getattr(current, field) is not None:
        raise ValueError("said twice")
    if keyword == "TYPE" and rest not in _SUFFIXES:
        raise ValueError("no such type")
    if keyword == "UNIT" and not name.endswith("_" + rest):
        raise ValueError("the unit is no part of the name")
    setattr(current, field, rest)
    return current


def _sample(line, family):
    match = _SAMPLE.fullmatch(line)
    if not match:
        raise ValueError("no sample")
    name, labels = match[1], re.findall(_LABEL, match[2] or "")
    if family is None or family.kind is None or not any(name == family.name + s for s in _SUFFIXES[family.kind]):
        raise ValueError("a sample outside its family, or with the wrong suffix")
    if len({key for key, _ in labels}) < len(labels):
        raise ValueError("a label twice")
    key = (name, frozenset((key, re.sub(r'\\(.)', lambda m: "\n" if m[1] == "n" else m[1], value))
                           for key, value in labels))
    if key in family.samples:
        raise ValueError("a sample twice")
    family.samples[key] = float(match[match.lastindex])


def _check(family):
    if family.kind in ("counter", "histogram") and any(value < 0 for value in family.samples.values()):
        raise ValueError(f"{family.name}: a negative count")
    if family.kind == "stateset" and any(value not in (0, 1) for value in family.samples.values()):
        raise ValueError(f"{family.name}: a state is 0 or 1")
    if family.kind != "histogram":
        return
    ladders = {}
    for (name, labels), value in family.samples.items():
        if name.endswith("_bucket"):
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            ladders.setdefault(rest, []).append((float(dict(labels)["le"]), value))
    for labels, ladder in ladders.items():
        counts = [count for _, count in sorted(ladder)]
        if sorted(ladder)[-1][0] != float("inf") or counts != sorted(counts):
            raise ValueError(f"{family.name}: buckets do not rise to infinity")
        if family.samples[(family.name + "_count", labels)] != counts[-1]:
            raise ValueError(f"{family.name}: the count is not that of the last bucket")
