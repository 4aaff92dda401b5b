"""A lab whose primary's routes are kept in the backup's kernel, and small helpers to look at them."""

import json

from lab import Lab
from network import run

OWN = "172"  # the protocol number of what was synchronised
ROUTE_SYNC = {"enabled": True, "protocols": ["bgp", "static"], "hold": "300ms", "ttl": "2s"}


class RouteLab(Lab):
    def __init__(self, build, cluster=None, **keys):
        super().__init__(build, cluster={"route_sync": {**ROUTE_SYNC, **keys}, **(cluster or {})})

    def form(self, timeout=30):
        super().form(timeout)
        self.wait("a path for the cluster network",
                  lambda: all(n.status()["cluster_network"]["path"] is not None for n in self.nodes))
        self.wait("the routes to be in sync", self.agreed)

    def agreed(self):
        said = [routes(node) for node in self.nodes if node.powered]
        return all(each["in_sync"] == 1 and each["lag_ms"] == 0 for each in said) and len({each["routes"] for each in said}) == 1


def routes(node):
    return node.status()["routes"]


def synchronised(node, family="-4", table="all", protocol=OWN):
    """The routes that the node holds for its peer, or those of another protocol, by destination, as ip(8) tells of them."""
    listed = json.loads(run("ip", "-n", node.netns, "-j", family, "route", "show", "table", table, "proto", protocol) or "[]")
    return {route["dst"]: route for route in listed}


def neighbours(node, device):
    listed = json.loads(run("ip", "-n", node.netns, "-j", "neighbour", "show", "dev", device) or "[]")
    return {entry["dst"]: entry for entry in listed if "lladdr" in entry}
