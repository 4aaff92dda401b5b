"""Measured figures beside their marks."""


class Scoreboard:
    def __init__(self):
        self.rows = []

    def at_most(self, what, measured, goal, unit="ms"):
        self.rows.append({"what": what, "measured": measured, "goal": goal, "unit": unit, "reached": measured <= goal})

    def note(self, what, measured, unit):
        """A figure without a mark."""
        self.rows.append({"what": what, "measured": measured, "goal": None, "unit": unit, "reached": None})

    def all_reached(self):
        return all(row["reached"] is not False for row in self.rows)

    def table(self):
        width = max([len(row["what"]) for row in self.rows] + [4])
        lines = [f"  {'mark':<{width}}  {'measured':>10}  {'goal':>10}"]
        for row in self.rows:
            goal = "" if row["goal"] is None else "at most " + _number(row["goal"], row["unit"])
            verdict = {True: "reached", False: "MISSED", None: ""}[row["reached"]]
            measured = _number(row["measured"], row["unit"])
            lines.append(f"  {row['what']:<{width}}  {measured:>10}  {goal:>14}  {verdict}".rstrip())
        return "\n".join(lines)


def _number(value, unit):
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".strip()
