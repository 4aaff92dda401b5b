#!/usr/bin/python3
"""The second node sends its heartbeats in another VLAN."""

import unittest

import story
from mismatch import Mismatch


class WrongVlan(Mismatch, unittest.TestCase):
    fw2 = {"vlan": 998}
    named = "wrong_vlan"


if __name__ == "__main__":
    story.main()
