"""The stories of a wrong configuration, told for each mistake: the two nodes cannot understand each other, and yet they
must never both be primary; `hotpair status` names the mistake; the logs are not flooded."""

import story
from lab import Lab
from node import AGENT

# Long enough for a hold-down and a takeover to happen if anything would let it.
LONG = 3.5


class Mismatch:
    """Mixed into a TestCase that says `fw2` (what is wrong on it) and `named` (a word of status)."""

    fw2 = {}
    named = ""

    def test_a_second_node_that_is_started_later_never_becomes_primary(self):
        with Lab(story.build(), fw2=self.fw2) as lab:
            self._start(lab.fw1)
            lab.wait("the first node to become primary alone", lambda: lab.fw1.role() == "primary")
            self._start(lab.fw2)
            lab.wait("both to name it", lambda: all(self._names(node) for node in lab.nodes))
            self._watch(lab, lambda: lab.fw1.role() == "primary" and lab.fw2.role() != "primary")

    def test_started_at_once_they_never_are_two_primaries(self):
        with Lab(story.build(), fw2=self.fw2) as lab:
            for node in lab.nodes:
                self._start(node)
            lab.wait("both agents to answer", lambda: all(node.role() for node in lab.nodes))
            self._watch(lab, lab.never_two_primaries)
            lab.wait("both to name it", lambda: all(self._names(node) for node in lab.nodes))

    def _start(self, node):
        node.write_config()
        node.start_daemons()

    def _watch(self, lab, condition):
        for node in lab.nodes:
            before = node.log(AGENT).count("\n")
            self.assertTrue(lab.watch(LONG / 2, condition), [node.role() for node in lab.nodes])
            written = node.log(AGENT).count("\n") - before
            self.assertLessEqual(written, 20, f"{written} log lines of {node.name}:\n{node.log(AGENT)[-2000:]}")

    def _names(self, node):
        code, text = node.ctl("status")
        return code == 0 and self.named in text
