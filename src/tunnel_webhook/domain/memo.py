"""Remembering results: external-dns sends nearly the same endpoints with every sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")
_SPARE = 4096


class Memo(dict[_K, _V]):
    """The results of a pure function, by argument; at most twice as many as the last call used, plus a spare."""

    def __init__(self, function: Callable[[_K], _V]) -> None:
        """Take the function; its exceptions propagate and are not remembered."""
        super().__init__()
        self._function = function

    def __missing__(self, argument: _K) -> _V:
        """Compute the result, once."""
        result = self[argument] = self._function(argument)
        return result

    def results(self, arguments: Sequence[_K]) -> list[_V]:
        """Return the result of each argument."""
        if len(self) > 2 * len(arguments) + _SPARE:
            self.clear()
        return list(map(self.__getitem__, arguments))
