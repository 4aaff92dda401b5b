#!/usr/bin/python3
"""The second node has another group id, but our password: our peer, misconfigured."""

import unittest

import story
from mismatch import Mismatch


class WrongGroupId(Mismatch, unittest.TestCase):
    fw2 = {"group_id": 8}
    named = "wrong_group"


if __name__ == "__main__":
    story.main()
