#!/usr/bin/python3
"""`hotpair doctor` as a command; its findings one by one are in tests/unit/tools.

    tests/ctl/test_doctor.py build/debug/tools/ctl/hotpair
"""

import glob
import json
import os
import re
import unittest

from fake_daemons import CommandTest, healthy


class Doctor(CommandTest):
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


if __name__ == "__main__":
    unittest.main()
