#!/usr/bin/python3
"""The `hotpair` command against daemons that are only a script.

    tests/ctl/test_hotpair_command.py build/debug/tools/ctl/hotpair
"""

import glob
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HOTPAIR = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/tools/ctl/hotpair"
if "HOTPAIR_BUILD" in os.environ:
    HOTPAIR = os.path.join(os.environ["HOTPAIR_BUILD"], "tools/ctl/hotpair")


def node(name, role, **more):
    health = {"forced": "none", "bandwidth_gbps": 20, "good_lags": 0, "management_link": True, "failed_modules": 0,
              "uptime_s": 7300, "priority": 128, "serial": f"LAB-{name}"}
    return {"chassis_id": int(name[-1]), "hostname": name, "serial": f"LAB-{name}", "role": role, "epoch": 12,
            "role_since": "2026-03-01T12:00:00.000Z", "role_seconds": 3720, "reason": "its reason", "forced": "none",
            "addresses_held": role == "primary", "health": health, "dataplane_alive": True, "sessions": 1234567,
            "lost_interfaces": [], "alive": True, "last_heard_ms": 4, "version": "0.1.0", **more}


def status(**more):
    return {
        "ok": True, "version": "0.1.0", "time": "2026-03-01T13:02:00Z", "group_id": 7, "group_name": "lab",
        "role": "primary", "epoch": 12, "in_sync": True, "node": node("fw1", "primary"), "peer": node("fw2", "backup"),
        "session_pickup": True,
        "replication": {"in_sync": True, "lag_sessions": 0, "lag_us": 300, "sessions_local": 9, "sessions_peer": 9},
        "election": {"winner": 1, "criterion": "serial", "winner_value": "B", "loser_value": "A"},
        "suppressed": "", "conflict": "", "dual_primary": False, "dual_primary_episodes": 0,
        "heartbeat_paths": [
            {"path": 0, "kind": "heartbeat", "interface": "ha0", "vlan": 999, "link_up": True, "alive": True,
             "best": True, "last_heard_ms": 3, "received": 1000, "lost": 0, "heard_by_peer": True},
            {"path": 1, "kind": "heartbeat", "interface": "ha1", "vlan": 999, "link_up": False, "alive": False,
             "best": False, "last_heard_ms": None, "received": 0, "lost": 7, "heard_by_peer": False}],
        "data_interfaces": [{"name": "lan", "device": "ens3f0", "present": True, "up": True, "speed_mbps": 10000,
                             "logical_system": ""}],
        "addresses": [{"interface": "lan", "device": "ens3f0", "address": "192.0.2.1/24", "held": True}],
        "mismatches": [], "rejected": {}, "warnings": [], "alarms": [], **more}


def healthy(**more):
    answer = status(**more)
    answer["heartbeat_paths"][1].update(link_up=True, alive=True, last_heard_ms=3, heard_by_peer=True)
    return answer


class FakeDaemon:
    """Listens where a daemon would and answers each command with what the test says."""

    def __init__(self, run_dir, name, answers):
        self.requests = []
        self._answers = answers
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.path.join(run_dir, f"{name}.control"))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            with channel, channel.makefile("rwb") as stream:
                for line in stream:
                    request = json.loads(line)
                    self.requests.append(request)
                    answer = self._answers[request["command"]]
                    answer = answer(request) if callable(answer) else answer
                    stream.write((answer if isinstance(answer, str) else json.dumps(answer)).encode() + b"\n")
                    stream.flush()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class HotpairCommand(unittest.TestCase):
    def setUp(self):
        self._dir = tempfile.TemporaryDirectory()
        self.addCleanup(self._dir.cleanup)

    def agent(self, **answers):
        daemon = FakeDaemon(self._dir.name, "hotpaird", answers)
        self.addCleanup(daemon.close)
        return daemon

    def dataplane(self, **answers):
        daemon = FakeDaemon(self._dir.name, "hotpair-dataplane", answers)
        self.addCleanup(daemon.close)
        return daemon

    def hotpair(self, *arguments):
        done = subprocess.run([HOTPAIR, "--run-dir", self._dir.name, *arguments], capture_output=True, text=True,
                              timeout=20)
        return done.returncode, done.stdout, done.stderr

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

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["bogus"], ["failover", "now"], ["force"], ["force", "sideways"]):
            self.assertEqual(self.hotpair(*arguments)[0], 2, arguments)

    def test_help_is_0_and_teaches_with_examples(self):
        for command in ("status", "top", "why", "doctor", "history", "sessions", "verify", "failover", "what-if", "force", "reload",
                        "maintenance", "password", "explain", "keys", "setup", "migrate", "completion", "version", "peer", "config"):
            code, out, _ = self.hotpair(command, "--help")
            self.assertEqual(code, 0)
            self.assertIn("Example", out)

    def test_a_refused_failover_is_1_with_the_reason(self):
        self.agent(failover={"ok": False, "error": "fw2 is not in sync"})
        code, _, err = self.hotpair("failover")
        self.assertEqual(code, 1)
        self.assertIn("fw2 is not in sync", err)

    def test_failover_says_how_long_it_took_and_force_is_passed_on(self):
        agent = self.agent(failover={"ok": True, "message": "fw2 is primary now", "took_ms": 12.34})
        self.assertEqual(self.hotpair("failover", "--force"), (0, "fw2 is primary now (12.3 ms)\n", ""))
        self.assertEqual(agent.requests, [{"command": "failover", "force": True}])

    def test_a_rehearsed_failover_moves_nothing_and_says_how_it_would_go(self):
        steps = [{"node": 1, "name": "drain", "text": "waits until the backup has every session"}]
        agent = self.agent(failover={"ok": True, "allowed": True, "text": "fw2 would become primary", "steps": steps})
        code, out, _ = self.hotpair("failover", "--dry-run")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"fw2 would become primary\n +1\. node 1  drain +waits until")
        self.assertEqual(agent.requests, [{"command": "failover", "force": False, "dry_run": True}])
        self.doCleanups()
        self.setUp()
        self.agent(failover={"ok": True, "allowed": False, "text": "fw2 is not in sync", "steps": []})
        self.assertEqual(self.hotpair("failover", "--dry-run"), (1, "fw2 is not in sync\n", ""))

    def test_what_if_passes_each_assumption_and_prints_the_verdict(self):
        agent = self.agent(what_if={
            "ok": True, "text": "fw2 would become primary", "moves": True, "held_back": "a hold of 3 s", "notes": ["a guess"],
            "criteria": [{"criterion": "traffic-bandwidth score", "one": "10", "two": "20", "decides": True}]})
        code, out, _ = self.hotpair("what-if", "--node", "1", "--link", "wan=down", "--link", "lan=up", "--module",
                                    "3=failed", "--remote", "2001:db8::1=lost", "--management", "down", "--power", "on",
                                    "--forced", "none", "--uptime", "60")
        self.assertEqual(code, 0)
        for words in ("fw2 would become primary", "it would wait: a hold of 3 s", "Note: a guess", "<- decides"):
            self.assertIn(words, out)
        self.assertEqual(agent.requests[0]["assumptions"], [
            {"kind": "link", "name": "wan", "good": False, "node": 1}, {"kind": "link", "name": "lan", "good": True, "node": 1},
            {"kind": "remote", "name": "2001:db8::1", "good": False, "node": 1},
            {"kind": "module", "slot": 3, "good": False, "node": 1}, {"kind": "management", "good": False, "node": 1},
            {"kind": "power", "good": True, "node": 1}, {"kind": "forced", "state": "none", "node": 1},
            {"kind": "uptime", "seconds": 60, "node": 1}])

    def test_what_if_of_nothing_or_of_nonsense_is_wrong_usage(self):
        for arguments in ([], ["--link", "wan"], ["--link", "wan=sideways"], ["--node", "3", "--power", "off"]):
            self.assertEqual(self.hotpair("what-if", *arguments)[0], 2, arguments)

    def test_password_status_shows_who_has_what_and_the_next_step(self):
        answer = {"ok": True, "loaded": [{"key": "aa", "used": True}, {"key": "bb", "used": False}],
                  "node": {"used": "aa", "other": "bb", "round": 0}, "peer": {"used": "aa", "other": None, "round": 0},
                  "next_step": "append it there"}
        self.agent(password=answer)
        _, out, _ = self.hotpair("password", "status")
        self.assertRegex(out, r"aa +1 +USED +USED")
        self.assertRegex(out, r"bb +2 +accepted +NOT LOADED")
        self.assertIn("Next: append it there", out)

    def test_password_switch_says_what_is_left_to_do_and_a_refusal_is_1(self):
        agent = self.agent(password={"ok": True, "message": "both use bb; remove the first line"})
        self.assertEqual(self.hotpair("password", "switch"), (0, "both use bb; remove the first line\n", ""))
        self.assertEqual(agent.requests, [{"command": "password", "action": "switch", "back": False}])
        self.doCleanups()
        self.setUp()
        self.agent(password={"ok": False, "error": "the other node has not loaded it"})
        self.assertEqual(self.hotpair("password", "switch")[0], 1)

    def test_config_checksum_shows_both_nodes_and_is_1_when_they_differ(self):
        answer = {"ok": True, "paths": ["/etc/a", "/etc/b"], "own": {"/etc/a": "11", "/etc/b": "22", "": "33"},
                  "peer": {"/etc/a": "11", "/etc/b": "99", "": "44"}}
        self.agent(config=answer)
        code, out, _ = self.hotpair("config", "checksum")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"/etc/a +11 +11 +same")
        self.assertRegex(out, r"/etc/b +22 +99 +DIFFERENT")
        self.assertRegex(out, r"all +33 +44 +DIFFERENT")

    def test_config_diff_is_unified_and_names_rights_and_files_of_one_node_alone(self):
        entry = {"kind": 1, "mode": 0o644, "user": 0, "group": 0, "size": 4}
        rows = [{"path": "/etc/a", "own": entry, "peer": {**entry, "mode": 0o600}, "own_text": "new\n", "peer_text": "old\n"},
                {"path": "/etc/b", "own": None, "peer": entry}]
        facts = [{"name": "package nftables", "own": "1.0.6-2", "peer": "1.0.9-1"}]
        agent = self.agent(config={"ok": True, "differences": rows, "facts": facts})
        code, out, _ = self.hotpair("config", "diff")
        self.assertEqual(code, 1)
        self.assertIn("-old\n+new\n", out)
        self.assertIn("here mode 0644 owner 0:0, at the peer mode 0600", out)
        self.assertIn("only at the peer: /etc/b", out)
        self.assertRegex(out, r"package nftables +1\.0\.6-2 +1\.0\.9-1\n")
        self.assertEqual(agent.requests, [{"command": "config", "action": "diff"}])

    def test_peer_without_an_agent_is_3_and_without_a_command_2(self):
        self.assertEqual(self.hotpair("peer", "exec", "true")[0], 3)
        self.assertEqual(self.hotpair("peer", "exec")[0], 2)
        self.assertEqual(self.hotpair("peer", "dance", "--fast")[0], 2)

    def doctor(self, *arguments):
        code, out, _ = self.hotpair("doctor", "--config-dir", self._dir.name, *arguments)
        return code, out

    def write_config(self):
        for name, text in (("node.yaml", "chassis_id: 1\nheartbeat_interfaces: [{ interface: lo }]\n"),
                           ("cluster.yaml", "group_id: 7\n")):
            with open(os.path.join(self._dir.name, name), "w") as file:
                file.write(text)

    def test_the_doctor_works_without_a_daemon_and_names_mistakes_in_the_files(self):
        code, out = self.doctor("--json")
        self.assertEqual(code, 1)
        report = json.loads(out)
        self.assertLessEqual({"pair.agent-down", "config.invalid"}, {f["id"] for f in report["findings"]})
        self.assertGreater(report["checks"], 3, "the box is looked at all the same")
        self.write_config()
        report = json.loads(self.doctor("--json")[1])
        self.assertNotIn("config.invalid", {f["id"] for f in report["findings"]})
        self.assertGreater(report["checks"], 5)

    def test_the_doctor_names_cause_and_mend_of_what_the_agent_says(self):
        self.write_config()
        mismatch = {"kind": "wrong_password", "interface": "ha0", "count": 77, "last_seen_ms": 20,
                    "detail": "another password", "cause": "the files differ", "advice": "make them the same"}
        self.agent(status=healthy(mismatches=[mismatch]))
        code, out = self.doctor()
        self.assertEqual(code, 1)
        self.assertIn("on ha0: another password (77 frames, last 0 s ago)  [pair.wrong-password]", out)
        self.assertIn("cause: the files differ\n", out)
        self.assertIn("mend:  make them the same\n", out)

    def test_each_id_of_the_doctor_is_in_its_document(self):
        tools = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools")
        with open(os.path.join(tools, "DOCTOR.md")) as file:
            document = file.read()
        for source in [*glob.glob(f"{tools}/ctl/doctor/*.cpp"), f"{tools}/ctl/doctor.cpp"]:
            with open(source) as file:
                for found in re.findall(r'"((?:pair|box|config)\.[a-z0-9-]+)"', file.read()):
                    self.assertIn(f"`{found}`", document, source)

    def test_completion_knows_commands_options_and_their_values(self):
        code, out, _ = self.hotpair("completion")
        self.assertEqual(code, 0)

        def complete(*words):
            script = out + f'COMP_WORDS=({" ".join(words)} ""); COMP_CWORD={len(words)}; _hotpair; echo "${{COMPREPLY[@]}}"'
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()

        self.assertLessEqual({"status", "doctor", "what-if", "--json"}, set(complete("hotpair")))
        self.assertLessEqual({"--dry-run", "--force"}, set(complete("hotpair", "failover")))
        self.assertLessEqual({"primary", "backup", "none"}, set(complete("hotpair", "--json", "force")))
        self.assertEqual(complete("hotpair", "what-if", "--management"), ["up", "down"])

    def test_explain_tells_what_an_id_means(self):
        for asked in ("HP-1203", "hp-1203", "1203", "persist-failed"):
            code, out, _ = self.hotpair("explain", asked)
            self.assertEqual(code, 0)
            for words in ("HP-1203", "persist-failed", "error", "df", "HOTPAIR_ID=HP-1203"):
                self.assertIn(words, out)
        listed = json.loads(self.hotpair("explain", "--json")[1])["events"]
        self.assertGreater(len(listed), 100)
        self.assertEqual(set(listed[0]), {"id", "event", "level", "message_id", "meaning", "causes", "next"})
        part = self.hotpair("explain", "path")[1]
        self.assertIn("path-dead", part)
        self.assertNotIn("role-change", part)
        code, _, err = self.hotpair("explain", "HP-9999")
        self.assertEqual(code, 1)
        self.assertIn("no event 'HP-9999'", err)

    def test_keys_tells_what_the_configuration_knows(self):
        code, out, _ = self.hotpair("keys", "lost_threshold")
        self.assertEqual(code, 0)
        for words in ("heartbeat.lost_threshold", "a number from 2 to 60", "default: 4"):
            self.assertIn(words, out)
        self.assertEqual(self.hotpair("keys", "sideways")[0], 1)
        files = json.loads(self.hotpair("keys", "--json")[1])
        for file in ("node.yaml", "cluster.yaml"):
            self.assertEqual([key["key"] for key in files[file] if not key["meaning"]], [])

    def test_force_passes_the_state(self):
        agent = self.agent(force={"ok": True, "message": "done"})
        self.assertEqual(self.hotpair("force", "backup")[0], 0)
        self.assertEqual(agent.requests[0]["state"], "backup")

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

    def test_why_marks_the_deciding_criterion(self):
        criteria = [{"criterion": "priority", "node": "200", "peer": "100", "decides": True},
                    {"criterion": "serial", "node": "A", "peer": "B", "decides": False}]
        self.agent(why={"ok": True, "role": "primary", "epoch": 12, "reason": "elected", "since": "now",
                        "election": status()["election"], "criteria": criteria, "suppressed": "", "conflict": ""})
        _, out, _ = self.hotpair("why")
        self.assertIn("chassis 1 wins the election by serial (B against A)", out)
        self.assertRegex(out, r"priority\s+200\s+100\s+<- decides")

    def test_maintenance_is_ordered_and_shown_in_capitals(self):
        answer = status()
        answer["node"]["health"]["forced"] = "maintenance"
        agent = self.agent(status=answer, maintenance={"ok": True, "message": "node 1 is in maintenance"})
        self.assertEqual(self.hotpair("maintenance", "on")[:2], (0, "node 1 is in maintenance\n"))
        self.assertEqual(agent.requests[-1], {"command": "maintenance", "on": True})
        self.assertRegex(self.hotpair("status")[1], r"forced +MAINTENANCE")
        self.assertEqual(self.hotpair("maintenance", "perhaps")[0], 2)

    def test_version_works_without_a_daemon(self):
        self.assertEqual(self.hotpair("--version")[0], 0)
        code, out, _ = self.hotpair("version")
        self.assertEqual(code, 0)
        self.assertIn("hotpaird  (not reachable)", out)


if __name__ == "__main__":
    unittest.main()
