#!/usr/bin/python3
"""The web page in a real browser: it asks for the token, shows the pair, follows a switchover, and loads nothing else.

    sudo tools/dev browser

Needs chromium-headless-shell (64 MB, therefore not part of `tools/dev test`). $HOTPAIR_PICTURE names a file for a screenshot.
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import story  # noqa: E402
from chromium import PROGRAM, Page  # noqa: E402
from lab import Lab  # noqa: E402

AT, TOKEN = "127.0.0.1:8099", "correct horse battery staple"
LOG_IN = "byId('token').value = {!r}; document.querySelector('#login button').click()"


@unittest.skipUnless(PROGRAM, "chromium-headless-shell is not installed")
class WebPageInABrowser(unittest.TestCase):
    def test_a_person_sees_the_pair_live(self):
        with Lab(story.build()) as lab:
            for node in lab.nodes:
                node.write_file("web-token", TOKEN + "\n")
                token = os.path.join(node.config_dir, "web-token")
                node.settings["node"] = {"web": {"listen": AT, "token_file": token}}
            lab.form()
            old, new = lab.primary(), lab.backup()
            with Page(["ip", "netns", "exec", old.netns]) as page:
                page.open(f"http://{AT}/")
                lab.wait("the question for the token", lambda: page.evaluate("!byId('login').hidden"))
                self.assertNotIn(old.name, page.text())
                page.evaluate(LOG_IN.format("a wrong one, as long"))
                lab.wait("the refusal", lambda: "not the token" in page.text("#refused"))
                page.complaints.clear()  # the two refusals
                page.evaluate(LOG_IN.format(TOKEN))
                lab.wait("the pair", lambda: f"{old.name} is PRIMARY" in page.text("#verdict"))
                self.the_page_is_full(page, lab)
                if "HOTPAIR_PICTURE" in os.environ:
                    page.picture(os.environ["HOTPAIR_PICTURE"])

                with self.subTest("it follows a switchover"):
                    self.assertEqual(old.ctl("failover")[0], 0)
                    lab.wait("the other primary", lambda: f"{new.name} is PRIMARY" in page.text("#verdict"))
                    lab.wait("the history", lambda: "primary → backup" in page.text("#history"))
                with self.subTest("a peer that is gone is an alarm"):
                    new.power_off()
                    lab.wait("the alarm", lambda: "NO BACKUP" in page.text("#verdict"))
                with self.subTest("the browser had nothing to complain of"):
                    self.assertEqual(page.complaints, [])
                with self.subTest("and lets the page reach nobody else"):
                    self.assertEqual(page.evaluate("fetch('http://127.0.0.2:1/').then(() => 'sent', () => 'refused')"), "refused")
                    self.assertTrue(any("Content Security Policy" in text for text in page.complaints), page.complaints)

    def the_page_is_full(self, page, lab):
        lab.wait("rates", lambda: page.evaluate("document.querySelectorAll('#cards polyline').length") == 5)
        for block, words in (("#nodes", ("fw1", "fw2", "alive", "128")), ("#paths", ("ha0", "ha1", "alive")),
                             ("#links", ("lan", "wan", "192.0.2.1/24", "held")), ("#history", ("primary",)),
                             ("#foot", ("group 7 lab", "changes nothing"))):
            for word in words:
                self.assertIn(word, page.text(block), block)
        self.assertFalse(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


if __name__ == "__main__":
    story.main()
