#!/usr/bin/python3
"""After a takeover the neighbours are asked whether they send to us, and told again; who else claims an address is named."""

import json
import unittest

import story
from lab import Lab
from network import run
from traffic import Traffic


class AddressConflict(unittest.TestCase):
    def test_the_neighbours_that_carry_traffic_answer_the_new_primary(self):
        with Lab(story.build()) as lab:
            lab.form()
            first = lab.primary()
            second = lab.other(first)
            with Traffic(lab, tcp=4):
                self.assertEqual(first.ctl("failover")[0], 0)
                verified = lab.wait("the neighbours to have been asked", lambda: second.status()["neighbours"])
            print(f"{verified['answered']} of {verified['asked']} neighbours answered in {verified['took_ms']:.1f} ms")
            self.assertGreaterEqual(verified["asked"], 4, "client and server, each by IPv4 and IPv6")
            self.assertEqual((verified["answered"], verified["silent"]), (verified["asked"], []))

    def test_a_station_that_claims_a_gateways_address_is_reported_with_its_mac_address(self):
        with Lab(story.build()) as lab:
            lab.form()
            client = lab.prefix + "client"
            mac = json.loads(run("ip", "-n", client, "-j", "link", "show", "lan"))[0]["address"]
            lab.wait("the primary to watch", lambda: lab.watch(1.2, lambda: lab.primary()))
            run("ip", "netns", "exec", client, "/usr/bin/python3", "-c", CLAIM, mac)
            lab.wait("the status to name it", lambda: any(
                f"192.0.2.1 on lan is also claimed by the station {mac}" in w for w in lab.primary().status()["warnings"]))


    def test_a_neighbour_that_is_led_astray_is_put_right_again_and_again_while_the_other_node_is_silent(self):
        """A box that froze may wake at any time and answer for what it had: see agent/daemon/announcements.hpp."""
        with Lab(story.build()) as lab:
            lab.form()
            first = lab.primary()
            second = lab.other(first)
            first.power_off()
            lab.wait("the takeover", lambda: second.role() == "primary")
            mac = json.loads(run("ip", "-n", second.netns, "-j", "link", "show", "lan"))[0]["address"]
            client = ["ip", "-n", lab.prefix + "client"]

            def believes(wanted):
                neighbours = json.loads(run(*client, "-j", "neigh", "show", "192.0.2.1", "dev", "lan"))
                return neighbours and neighbours[0].get("lladdr") == wanted

            # Those of the takeover are five within a second: eight need those that follow.
            for time in range(8):
                run(*client, "neigh", "replace", "192.0.2.1", "lladdr", "02:00:00:00:00:99", "dev", "lan", "nud", "reachable")
                lab.wait(f"announcement {time + 1}", lambda: believes(mac), timeout=4)


# A gratuitous ARP request of the client's for the gateway's address.
CLAIM = """
import socket, sys
mac, ip = bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton("192.0.2.1")
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as channel:
    channel.bind(("lan", 0))
    channel.send(b"\\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + ip + bytes(6) + ip)
"""


if __name__ == "__main__":
    story.main()
