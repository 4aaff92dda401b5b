#!/usr/bin/python3
"""Both nodes are scraped: valid OpenMetrics before and after a takeover, whoever else knocks, and no metric that
the dashboard or an alert names is missing."""

import glob
import os
import re
import unittest

import http_client
import open_metrics
import story
from lab import Lab

AT = "127.0.0.1:9184"
MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../monitoring")


def scrape(node, at=AT):
    status, fields, body = http_client.get(node, at)
    assert status == 200, (status, body)
    assert fields["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8", fields
    return open_metrics.parse(body)


def named_in(path):
    """Every metric a file names; a sample's suffix is part of a name."""
    with open(path) as file:
        return set(re.findall(r"\bhotpair_[a-z0-9_]+\b", file.read()))


class Metrics(unittest.TestCase):
    def test_who_watches_sees_the_pair_and_its_takeover(self):
        served = {"node": {"metrics": {"listen": AT}}}
        with Lab(story.build(), fw1=served, fw2=served) as lab:
            lab.form()
            old, new = lab.primary(), lab.backup()
            before = {node: scrape(node) for node in lab.nodes}
            self.both_agree(before[old], before[new])
            self.assertEqual(before[new]["hotpair_role_changes"].value("_total", to="primary", kind="failover"), None)

            with self.subTest("a takeover is counted and timed"):
                old.power_off()
                lab.wait("the backup to take over", lambda: new.role() == "primary")
                after = scrape(new)
                self.assertEqual(after["hotpair_role"].value(node="self", hotpair_role="primary"), 1)
                self.assertEqual(after["hotpair_role_changes"].value("_total", to="primary", kind="failover"), 1)
                self.assertEqual(after["hotpair_peer_alive"].value(), 0)
                self.assertGreater(after["hotpair_epoch"].value(node="self"), before[new]["hotpair_epoch"].value(node="self"))
                self.assertEqual(after["hotpair_takeover_seconds"].value("_count"), 1)
                self.assertEqual(after["hotpair_phase_seconds"].value("_count", phase="claim"), 1)

            with self.subTest("who says nothing locks nobody out"):
                answer = http_client.talk(new, AT, "GET /metrics HTTP/1.1\r\n\r\n", clients=40)
                self.assertTrue(answer.endswith("# EOF\n"), answer[:200])

            with self.subTest("everything that is named elsewhere is exported"):
                samples = {name for family in after.values() for name, _ in family.samples} | set(after)
                samples |= {name + "_total" for name in after}
                files = glob.glob(MONITORING + "/*.json") + glob.glob(MONITORING + "/*.yml")
                self.assertGreaterEqual(len(files), 2)
                for path in files:
                    self.assertEqual(named_in(path) - samples, set(), path)

            with self.subTest("a reload moves it, and ends it"):
                path = os.path.join(new.dir, "metrics.sock")
                new.write_config(node={"metrics": {"listen": path}})
                self.assertEqual(new.ctl("reload")[0], 0)
                lab.wait("the socket", lambda: os.path.exists(path))
                self.assertEqual(scrape(new, path)["hotpair_up"].value(), 1)
                del new.settings["node"]
                new.write_config()
                self.assertEqual(new.ctl("reload")[0], 0)
                lab.wait("the socket to go", lambda: not os.path.exists(path))

    def both_agree(self, primary, backup):
        for metrics, role in ((primary, "primary"), (backup, "backup")):
            self.assertEqual(metrics["hotpair_up"].value(), 1)
            self.assertEqual(metrics["hotpair_dataplane_up"].value(), 1)
            self.assertEqual(metrics["hotpair_role"].value(node="self", hotpair_role=role), 1)
            self.assertEqual(metrics["hotpair_in_sync"].value(), 1)
            self.assertEqual(metrics["hotpair_path_alive"].values(kind="heartbeat"), [1, 1])
            self.assertGreater(metrics["hotpair_dataplane_frames_sent"].value("_total"), 0)
            self.assertEqual(sum(metrics["hotpair_alarms"].values()), metrics["hotpair_alarms"].value(kind="warnings"))
        self.assertEqual(primary["hotpair_epoch"].value(node="self"), backup["hotpair_epoch"].value(node="peer"))


if __name__ == "__main__":
    story.main()
