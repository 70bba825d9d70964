"""Remembering results: external-dns sends nearly the same endpoints with every sync.

What is remembered is bounded by its weight in bytes, never by its number, since a client chooses how large it is. The
weights err on the heavy side, and all memos together leave a third of the memory limit in `deploy/values.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getsizeof
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")
_LARGEST = 1024
_SLOT = 100

MIB = 1024 * 1024


class Memo(dict[_K, _V]):
    """The results of a pure function by argument, in bytes at most `most` together, by `weigh`.

    A result that would exceed `most` makes all others forgotten first; one that alone weighs more than a thousandth of
    it is not remembered at all, so that a few huge arguments displace nothing.
    """

    def __init__(self, function: Callable[[_K], _V], weigh: Callable[[_K, _V], int], most: int) -> None:
        """Take the function; its exceptions propagate and are not remembered."""
        super().__init__()
        self._function = function
        self._weigh = weigh
        self._most = most
        self.held = 0
        """The weight of all results together, in bytes."""
        self._unused: set[_K] = set()

    def __missing__(self, argument: _K) -> _V:
        """Compute the result, once."""
        result = self._function(argument)
        weight = self._weigh(argument, result) + _SLOT
        if weight > self._most // _LARGEST:
            return result
        if self.held + weight > self._most:
            self.clear()
        self[argument] = result
        self.held += weight
        return result

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self.held = 0
        self._unused = set()

    def results(self, arguments: Sequence[_K]) -> list[_V]:
        """Return the result of each argument.

        Of more results than there are arguments, those that two calls in a row did not use are forgotten.
        """
        results = list(map(self.__getitem__, arguments))
        unused = self.keys() - set(arguments) if len(self) > len(arguments) else set[_K]()
        stale = unused & self._unused
        for argument in stale:
            self.held -= self._weigh(argument, self.pop(argument)) + _SLOT
        self._unused = unused - stale
        return results


def weight_of_texts(argument: str | tuple[str, ...], result: str | tuple[str, ...]) -> int:
    """Return the bytes of an argument and a result that are a text each, or a tuple of texts."""
    return _bytes_of(argument) + _bytes_of(result)


def _bytes_of(value: str | tuple[str, ...]) -> int:
    return getsizeof(value) if isinstance(value, str) else getsizeof(value) + sum(map(getsizeof, value))
