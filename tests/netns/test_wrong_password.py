#!/usr/bin/python3
"""The second node has another password."""

import unittest

import story
from mismatch import Mismatch


class WrongPassword(Mismatch, unittest.TestCase):
    fw2 = {"password": "open barley"}
    named = "wrong_password"


if __name__ == "__main__":
    story.main()
