#!/usr/bin/python3
"""The page for browsers: on an address only with the token, on a socket for whoever may open it, and it changes nothing."""

import json
import os
import re
import unittest

import http_client
import story
from lab import Lab

AT = "127.0.0.1:8099"
TOKEN = "correct horse battery staple"


class WebPage(unittest.TestCase):
    def test_the_pair_is_shown_to_who_knows_the_token(self):
        with Lab(story.build()) as lab:
            lab.form()
            node = lab.primary()
            token = os.path.join(node.config_dir, "web-token")
            node.write_file("web-token", TOKEN + "\n")
            self.serve(node, {"listen": AT, "token_file": token})
            lab.wait("the page", lambda: self.answers(node))

            with self.subTest("the page is whole and may load nothing"):
                status, fields, page = http_client.get(node, AT, "/")
                self.assertEqual((status, fields["content-type"]), (200, "text/html; charset=utf-8"))
                self.assertIn("default-src 'none'", fields["content-security-policy"])
                self.assertEqual(re.findall(r"https?://(?!www\.w3\.org/2000/svg)\S+", page), [])
                self.assertNotIn(node.name, page)  # nothing of the pair is in it

            with self.subTest("the status needs the token"):
                for headers in ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": TOKEN}):
                    status, fields, body = http_client.get(node, AT, "/status.json", headers=headers)
                    self.assertEqual((status, fields["www-authenticate"]), (401, "Bearer"))
                    self.assertNotIn("epoch", body)
                self.assertIn("id=HP-1523", node.log("hotpaird"))

            with self.subTest("and is what the command line says"):
                seen = self.status(node, AT, {"Authorization": "Bearer " + TOKEN})
                self.assertEqual(seen["agent"]["role"], "primary")
                self.assertEqual(set(seen["agent"]) - set(node.status()), set())
                self.assertEqual(seen["dataplane"]["role"], "primary")
                self.assertEqual(seen["history"]["changes"][-1]["to"], "primary")

            with self.subTest("it only reads"):
                for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                    self.assertEqual(http_client.get(node, AT, "/status.json", method)[0], 405)
                self.assertEqual(http_client.get(node, AT, "/../../etc/passwd")[0], 404)

            with self.subTest("a token that everybody can read serves nobody"):
                os.chmod(token, 0o644)
                self.serve(node, {"listen": AT, "token_file": token})
                lab.wait("the warning", lambda: any("everybody may read the token" in w for w in node.status()["warnings"]))
                self.assertFalse(self.answers(node))

            with self.subTest("a socket needs none"):
                path = os.path.join(node.dir, "web.sock")
                self.serve(node, {"listen": path})
                lab.wait("the socket", lambda: os.path.exists(path))
                self.assertEqual(self.status(node, path, {})["agent"]["role"], "primary")
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)

            with self.subTest("metrics and the page change places"):
                other = os.path.join(node.dir, "metrics.sock")
                for web, metrics in ((path, other), (other, path)):
                    node.write_config(node={"web": {"listen": web}, "metrics": {"listen": metrics}})
                    self.assertEqual(node.ctl("reload")[0], 0)
                    lab.wait("both to be there", lambda w=web, m=metrics: self.serves(node, w, "/") and self.serves(node, m, "/metrics"))
                self.assertEqual([w for w in node.status()["warnings"] if "served" in w], [])

    def serve(self, node, web):
        node.write_config(node={"web": web})
        self.assertEqual(node.ctl("reload")[0], 0)

    def answers(self, node):
        return self.serves(node, AT, "/")

    @staticmethod
    def serves(node, at, path):
        try:
            return http_client.get(node, at, path)[0] == 200
        except (http_client.subprocess.CalledProcessError, ValueError, IndexError):
            return False

    def status(self, node, at, headers):
        status, fields, body = http_client.get(node, at, "/status.json", headers=headers)
        self.assertEqual((status, fields["content-type"]), (200, "application/json"))
        return json.loads(body)


if __name__ == "__main__":
    story.main()
