"""A lab whose nodes' rulesets follow the primary live, and small helpers to look at them."""

import json
import subprocess

from lab import Lab

SETS = """
table inet live {
  set blocklist { type ipv4_addr; flags timeout; }
  set friends { type ipv4_addr; elements = { 192.0.2.9 }; }
  set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
  chain input { type filter hook input priority 10; policy accept; ip saddr @blocklist counter drop; }
}
"""


class RulesetLab(Lab):
    def __init__(self, build, **keys):
        super().__init__(build, cluster={"config_sync": {"nft_ruleset": True, "nft_sets": ["blocklist"],
                                                         "rescan": "5s", **keys}})

    def form(self, timeout=30):
        super().form(timeout)
        self.wait("a path for the cluster network",
                  lambda: all(n.status()["cluster_network"]["path"] is not None for n in self.nodes))
        nft(self.primary(), SETS)
        self.wait("the rulesets to be in sync", self.agreed, timeout=30)

    def agreed(self):
        said = [ruleset(node) for node in self.nodes]
        return all(each["in_sync"] == 1 for each in said) and has_rule(self.backup(), "blocklist")


def ruleset(node):
    return node.status()["ruleset"]


def nft(node, script):
    """Loads a script into the node's kernel, as an operator does; it fails the test when nft refuses it."""
    done = subprocess.run(["ip", "netns", "exec", node.netns, "nft", "-f", "-"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, f"{script}: {done.stderr}"


def listing(node, *what):
    return subprocess.run(["ip", "netns", "exec", node.netns, "nft", *(what or ("list", "ruleset"))], capture_output=True,
                          text=True).stdout


def has_rule(node, text):
    return text in listing(node)


def elements(node, name, table="live"):
    """The elements of a set as {address: seconds left, or None}."""
    listed = json.loads(listing(node, "-j", "list", "set", "inet", table, name) or '{"nftables": []}')
    found = {}
    for entry in listed["nftables"]:
        for element in entry.get("set", {}).get("elem", []):
            inner = element["elem"] if isinstance(element, dict) and "elem" in element else {"val": element}
            found[inner["val"]] = inner.get("expires")
    return found
