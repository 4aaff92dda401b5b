#!/usr/bin/python3
"""What `hotpair` shows of the answers of the daemons: status, why, history, sessions, and of answers that make no sense.

    tests/ctl/test_reading.py build/debug/tools/ctl/hotpair
"""

import json
import unittest

from fake_daemons import CommandTest, healthy, node, status


class ReadingTheAnswers(CommandTest):
    def verdict(self, answer):
        self.agent(status=answer)
        code, out, _ = self.hotpair("status")
        self.assertEqual(code, 0)
        return out.splitlines()[0]

    def test_a_healthy_pair_is_told_in_the_first_line(self):
        line = self.verdict(status())
        self.assertEqual(line, "fw1 is PRIMARY (epoch 12) since 2026-03-01 12:00:00 UTC, 1 h 2 min ago; "
                               "fw2 is backup, in sync")

    def test_on_the_backup_the_primary_is_still_named_first(self):
        line = self.verdict(status(role="backup", node=node("fw2", "backup"), peer=node("fw1", "primary")))
        self.assertTrue(line.startswith("fw1 is PRIMARY"), line)

    def test_a_backup_that_is_not_in_sync_is_said_so(self):
        self.assertIn("NOT IN SYNC", self.verdict(status(in_sync=False)))

    def test_a_silent_peer_means_no_backup(self):
        line = self.verdict(status(peer=node("fw2", "backup", alive=False, last_heard_ms=12000)))
        self.assertIn("fw2 is not heard for 12 s: there is NO BACKUP", line)

    def test_a_pair_without_a_primary_is_said_so(self):
        line = self.verdict(status(role="fault", node=node("fw1", "fault"), peer=None))
        self.assertIn("NO PRIMARY", line)

    def test_two_primaries_are_said_so(self):
        line = self.verdict(status(dual_primary=True, peer=node("fw2", "primary")))
        self.assertIn("BOTH NODES ARE PRIMARY", line)

    def second_line(self, answer):
        self.agent(status=answer)
        return self.hotpair("status")[1].splitlines()[1]

    def test_the_second_line_says_that_nothing_is_wrong(self):
        self.assertTrue(self.second_line(healthy()).startswith("No alarms"))

    def test_the_second_line_names_every_alarm_of_the_agent(self):
        alarms = [{"id": "HP-3004", "kind": "forced", "text": "fw1 is FORCED to backup by an operator"},
                  {"id": "HP-3006", "kind": "link-lost", "text": "fw2 has lost tenant-a/\x1bwan"}]
        line = self.second_line(healthy(alarms=alarms))
        self.assertTrue(line.startswith("ALARM: fw1 is FORCED to backup by an operator; fw2 has lost tenant-a/"), line)
        self.assertNotIn("\x1b", line)

    def test_an_upgrade_that_goes_on_is_told_with_what_to_type(self):
        stopped = {"state": "stopped", "driver": "fw1", "began": "2026-03-01T12:40:00.120Z", "command": "true", "step": 3,
                   "of": 9, "title": "fw2: the command runs", "step_since": "2026-03-01T12:41:00Z", "why": "exit status 1",
                   "next": "hotpair upgrade --resume"}
        self.agent(status=healthy(upgrade=stopped))
        screen = self.hotpair("status")[1]
        self.assertIn("Upgrade\n  An upgrade STOPPED, begun on fw1 2026-03-01 12:40:00 UTC, at step 3 of 9 "
                      "since 2026-03-01 12:41:00 UTC: fw2: the command runs\n  why:  exit status 1\n"
                      "  next: hotpair upgrade --resume\n", screen)

    def test_the_other_nodes_upgrade_is_told_with_where_to_ask(self):
        self.agent(status=healthy(upgrade={"state": "elsewhere", "driver": "fw2", "began": "", "next": "ask there"}))
        self.assertIn("An upgrade goes on, or stopped, begun on fw2\n  next: ask there\n", self.hotpair("status")[1])

    def test_the_other_nodes_upgrade_is_told_with_its_step_where_that_is_known(self):
        self.agent(status=healthy(upgrade={
            "state": "elsewhere", "at_driver": "stopped", "driver": "fw2", "began": "", "next": "ask there", "step": 3, "of": 9,
            "step_since": "2026-03-01T12:01:00Z", "title": "fw1: the command runs", "why": "exit status 1"}))
        self.assertRegex(self.hotpair("status")[1], r"An upgrade STOPPED, begun on fw2, at step 3 of 9 since .*: fw1: the command runs\n"
                                                    r"  why:  exit status 1\n  next: ask there\n")

    def test_without_an_upgrade_there_is_no_word_of_it(self):
        self.agent(status=healthy())
        self.assertNotIn("pgrade", self.hotpair("status")[1])

    def test_an_agent_that_knows_no_alarms_is_not_said_to_be_well(self):
        self.assertIn("names no alarms", self.second_line({**healthy(), "alarms": None}))

    def test_a_mismatch_is_shown_with_its_advice(self):
        mismatch = {"kind": "wrong password", "interface": "ha0", "count": 77, "last_seen": "now",
                    "detail": "the neighbour's frames do not open", "advice": "copy /etc/hotpair/password"}
        self.agent(status=status(mismatches=[mismatch]))
        _, out, _ = self.hotpair("status")
        self.assertIn("wrong password on ha0, 77 frames", out)
        self.assertIn("mend it: copy /etc/hotpair/password", out)

    def test_what_is_watched_is_shown_with_what_is_wrong_with_it(self):
        module = {"slot": 4, "kind": "command", "name": "/usr/lib/ips", "state": "failed", "since": "now",
                  "reason": "slot 4 (ips): exit status 7: engine 3 is down", "last_output": "engine 3 is down"}
        monitor = {"address": "198.51.100.254", "interface": "wan", "method": "arp", "reached": False,
                   "last_answer_ms": 4200, "weight": 100, "trouble": ""}
        lag = {"mode": "802.3ad", "usable": 1, "total": 2, "state": "bad", "members": [
            {"device": "ens4", "up": True, "usable": True, "why": ""},
            {"device": "ens5", "up": True, "usable": False, "why": "in aggregator 2, active is 1"}]}
        interface = {**status()["data_interfaces"][0], "lag": lag}
        forgiven = {**interface, "name": "wan", "lag": {**lag, "state": "good"}}
        witness = {"address": "203.0.113.1", "answers": None, "last_answer_ms": None, "trouble": ""}
        self.agent(status=status(modules=[module], remote_monitors=[monitor], data_interfaces=[interface, forgiven],
                                 witness=witness))
        _, out, _ = self.hotpair("status")
        for piece in ("slot 4 (ips): exit status 7: engine 3 is down", "NOT REACHED", "1 of 2", "good, 1 lost is forgiven",
                      "ens5 (in aggregator 2, active is 1)", "203.0.113.1", "not known yet"):
            self.assertIn(piece, out)

    def test_what_comes_from_the_wire_cannot_command_the_terminal(self):
        self.agent(status=status(peer=node("fw2", "backup", reason="\x1b[2J\x07gone")))
        _, out, _ = self.hotpair("status")
        self.assertNotIn("\x1b", out)

    def test_an_answer_of_a_stranger_shape_is_shown_as_well_as_it_can_be(self):
        for answer in ({"ok": True}, {"ok": True, "node": 7, "peer": [], "heartbeat_paths": {"a": 1}, "epoch": -1}):
            self.assertIn("NO PRIMARY", self.verdict(answer))
            self.doCleanups()
            self.setUp()

    def test_json_is_the_agents_answer_with_the_data_planes_beside_it(self):
        self.agent(status=status())
        self.dataplane(status={"ok": True, "role": "primary", "sessions": 9})
        code, out, _ = self.hotpair("status", "--json")
        self.assertEqual(code, 0)
        answer = json.loads(out)
        self.assertEqual(answer.pop("dataplane")["sessions"], 9)
        self.assertEqual(answer, status())

    def test_a_dead_data_plane_does_not_hide_the_agent(self):
        self.agent(status=status())
        code, out, _ = self.hotpair("status")
        self.assertEqual(code, 0)
        self.assertIn("systemctl restart hotpair-dataplane", out)

    def test_without_a_daemon_the_exit_status_is_3_and_the_mending_command_is_named(self):
        code, out, err = self.hotpair("status")
        self.assertEqual((code, out), (3, ""))
        self.assertIn("systemctl start hotpaird", err)

    def test_an_answer_that_is_not_json_counts_as_no_answer(self):
        self.agent(status="<html>")
        self.assertEqual(self.hotpair("status")[0], 3)

    def test_verify_is_0_when_equal_and_1_when_not(self):
        answer = {"ok": True, "in_sync": True, "buckets": 4096, "compared": 4096, "different": 0, "sessions": 5,
                  "peer_sessions": 5, "took_ms": 3}
        self.dataplane(verify=lambda request: answer)
        self.assertEqual(self.hotpair("verify")[0], 0)
        answer.update(different=2, in_sync=False)
        code, out, _ = self.hotpair("verify")
        self.assertEqual(code, 1)
        self.assertIn("2 different", out)

    def test_sessions_counts_and_lists_page_by_page(self):
        def page(request):
            if request.get("count_only"):
                return {"ok": True, "total": 1500}
            first = request.get("cursor", 0)
            last = min(1500, first + request["limit"])
            one = {"protocol": "tcp", "family": 4, "src": "192.0.2.10", "dst": "198.51.100.10", "sport": 4242,
                   "dport": 80, "reply_src": "198.51.100.10", "reply_dst": "198.51.100.1", "reply_sport": 80,
                   "reply_dport": 4242, "state": "established", "mark": 0, "zone": 0, "timeout_s": 300,
                   "assured": True, "nat": True}
            return {"ok": True, "total": 1500, "sessions": [one] * (last - first), "next": last if last < 1500 else None}

        daemon = self.dataplane(sessions=page)
        self.assertIn("1,500 sessions", self.hotpair("sessions")[1])
        code, out, _ = self.hotpair("sessions", "--protocol", "tcp", "--limit", "0", "--json")
        self.assertEqual((code, len(json.loads(out)["sessions"])), (0, 1500))
        self.assertEqual(daemon.requests[-1], {"command": "sessions", "limit": 1000, "protocol": "tcp", "cursor": 1000})
        self.assertIn("as 198.51.100.1:4242", self.hotpair("sessions", "--port", "80", "--limit", "3")[1])

    def test_history_tells_each_change_and_always_its_failed_steps(self):
        steps = [{"name": "claim addresses", "ms": 1.5, "ok": True, "error": ""},
                 {"name": "run hooks", "ms": 9, "ok": False, "error": "exit status 1"}]
        change = {"time": "2026-03-01T12:00:00Z", "from": "backup", "to": "primary", "epoch": 12, "kind": "failover",
                  "reason": "fw1 fell silent", "steps": steps, "total_ms": 12.5,
                  "health": {"bandwidth_gbps": 20.0, "management_link": True}, "peer_health": None,
                  "election": {"winner": 1, "criterion": "priority", "winner_value": "200", "loser_value": "100"}}
        self.agent(history={"ok": True, "changes": [change]})
        _, out, _ = self.hotpair("history")
        self.assertIn("backup -> primary  failover  in 12.50 ms", out)
        self.assertIn("FAILED: exit status 1", out)
        self.assertNotIn("claim addresses", out)
        self.assertIn("decided by priority: 200 against 100", out)
        self.assertIn("claim addresses", self.hotpair("history", "--steps")[1])
        self.assertRegex(self.hotpair("history", "--health")[1], r"bandwidth_gbps +20.0 +-\n +management_link +up +-\n")

    def test_who_wins_by_what_it_holds_is_said_in_a_sentence(self):
        held = {"winner": 1, "criterion": "incumbency", "winner_value": "holds the role", "loser_value": "does not"}
        self.agent(status=status(election=held))
        self.assertIn("fw1 wins the election by incumbency (it holds the role, the other does not)", self.hotpair("status")[1])

    def test_the_versions_of_the_protocol_are_shown_and_which_one_is_spoken(self):
        protocol = {"node": {"lowest": 1, "highest": 1}, "peer": {"lowest": 1, "highest": 2}, "agreed": 1}
        self.agent(status=lambda _: status(protocol=protocol))
        self.assertRegex(self.hotpair("status")[1], r"protocol: 1 of +1 +1 to 2")
        protocol.update(peer={"lowest": 2, "highest": 2}, agreed=None)
        self.assertRegex(self.hotpair("status")[1], r"protocol: NONE SHARED +1 +2")

    def test_why_marks_the_deciding_criterion(self):
        criteria = [{"criterion": "priority", "node": "200", "peer": "100", "decides": True},
                    {"criterion": "serial", "node": "A", "peer": "B", "decides": False}]
        self.agent(why={"ok": True, "role": "primary", "epoch": 12, "reason": "elected", "since": "now",
                        "election": status()["election"], "criteria": criteria, "suppressed": "", "conflict": ""})
        _, out, _ = self.hotpair("why")
        self.assertIn("chassis 1 wins the election by serial (B against A)", out)
        self.assertRegex(out, r"priority\s+200\s+100\s+<- decides")


if __name__ == "__main__":
    unittest.main()
