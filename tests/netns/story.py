"""What every test of this folder begins with: the build to test, a skip without root, and unittest.

Each test_*.py is one story and runs alone:  sudo tests/netns/test_power_loss.py --build build/release
"""

import os
import sys
import unittest

from lab import check_machine
from network import LabError

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
_DEFAULT = "build/release"


def build():
    """$HOTPAIR_BUILD, else what --build named, else build/release."""
    return os.environ.get("HOTPAIR_BUILD") or main.build


def main():
    if "--build" in sys.argv:
        at = sys.argv.index("--build")
        main.build = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    try:
        check_machine()
    except LabError as error:
        print(f"skipped: {error}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)


main.build = _DEFAULT

