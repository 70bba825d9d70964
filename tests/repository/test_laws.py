"""The laws of the design: each has exactly one property test, named after it."""

import re
from collections import Counter
from pathlib import Path

ROOM = Path(__file__).parents[1] / "property"
LAWS = range(1, 15)
"""L1 to L14; L15 is explored exhaustively (`tests/exploration`) and by histories (`tests/chaos`)."""


def test_each_law_has_exactly_one_property_test() -> None:
    tests = [text for path in ROOM.glob("test_*.py") for text in re.findall(r"def test_l(\d+)_", path.read_text())]
    assert Counter(map(int, tests)) == dict.fromkeys(LAWS, 1)
