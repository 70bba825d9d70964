"""Random histories: whatever befalls three processes at once, nothing of others is lost, and all is well afterwards.

`PYTHONPATH=tests python -m chaos SEED` replays one.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.history import History

SEEDS, MORE_SEEDS = 10, 300


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_history_ends_well(seed: int) -> None:
    history = History(seed).run()
    assert not history.faults, str(history)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(SEEDS, MORE_SEEDS))
def test_a_history_ends_well_as_well(seed: int) -> None:
    history = History(seed).run()
    assert not history.faults, str(history)


def test_a_seed_determines_its_history() -> None:
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}  # noqa: TID251 -- a child process needs PATH
    logs = [
        subprocess.run(
            [sys.executable, "-m", "chaos", "3"],
            env={**paths, "PYTHONHASHSEED": number},
            capture_output=True,
            check=False,
            text=True,
        ).stdout
        for number in ("1", "2")
    ]
    assert logs[0] == logs[1]
    assert "quiet" in logs[0]
