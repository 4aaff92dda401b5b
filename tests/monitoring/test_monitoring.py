#!/usr/bin/python3
"""monitoring/ is well formed: the dashboard's queries and the alert rules, by Prometheus' own promtool where it is
installed (apt-get install prometheus). That each metric they name is exported, netns.metrics sees."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../monitoring")
PROMTOOL = shutil.which("promtool")


def queries():
    with open(os.path.join(MONITORING, "grafana.json")) as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)


class Monitoring(unittest.TestCase):
    def test_the_dashboard_asks_only_for_the_chosen_pair(self):
        asked = list(queries())
        self.assertGreater(len(asked), 20)
        for title, expression in asked:
            for metric, labels in re.findall(r"(hotpair_\w+)(\{[^}]*\})?", re.sub(r"\{[^}]*\}", _without_names, expression)):
                self.assertIn('pair=~"$pair"', labels, f"{title}: {metric}")

    def test_panels_do_not_overlap(self):
        with open(os.path.join(MONITORING, "grafana.json")) as file:
            panels = json.load(file)["panels"]
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken |= cells
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_the_alert_rules_are_rules_and_alarm_when_they_should(self):
        for arguments in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
            done = promtool(*arguments)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_the_dashboards_queries_are_queries(self):
        rules = [{"record": f"dashboard:query:{i}", "expr": expression.replace("$__rate_interval", "1m")}
                 for i, (_, expression) in enumerate(queries())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # YAML takes JSON
            file.flush()
            done = promtool("check", "rules", file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def _without_names(labels):
    """A label may carry a metric's name; only the metric itself is looked for."""
    return re.sub(r"hotpair_\w+=", "state=", labels[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
