"""The suite can fail: each safeguard that is taken out is missed within a known number of histories."""

import pytest

from chaos.history import History
from chaos.mutants import MUTANTS, Mutant

FIRST = 1000
"""The seed of the first history of each mutant."""

QUICK = {name: mutant for name, mutant in MUTANTS.items() if mutant.within <= 3}
SLOW = {name: mutant for name, mutant in MUTANTS.items() if name not in QUICK}


def found(mutant: Mutant) -> bool:
    """Whether a history notices that a safeguard is missing."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.patch(patch)
        seeds = range(FIRST, FIRST + mutant.within)
        return any(History(seed, settings=mutant.settings).run().faults for seed in seeds)


@pytest.mark.parametrize("mutant", QUICK.values(), ids=QUICK.keys())
def test_a_history_notices_soon_that_a_safeguard_is_missing(mutant: Mutant) -> None:
    assert found(mutant)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("mutant", SLOW.values(), ids=SLOW.keys())
def test_a_history_notices_that_a_safeguard_is_missing(mutant: Mutant) -> None:
    assert found(mutant)
