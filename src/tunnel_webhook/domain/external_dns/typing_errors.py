"""How far a misspelt name is from a right one, in typing errors."""

from __future__ import annotations


def within_edits(one: str, other: str, most: int) -> bool:
    """Return whether one text becomes the other by at most so many typing errors.

    An error is a letter too many, one missing, another one, or two neighbours in the wrong order.
    """
    if abs(len(one) - len(other)) > most:
        return False
    earlier: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        row = [i + 1]
        for j, wanted in enumerate(other):
            cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (letter != wanted))
            if i and j and letter == other[j - 1] and one[i - 1] == wanted:
                cost = min(cost, earlier[j - 1] + 1)
            row.append(cost)
        earlier, last = last, row
    return last[-1] <= most
