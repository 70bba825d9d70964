"""Replay histories: `PYTHONPATH=tests python -m chaos 13` prints one, `... 1000 2000` those of a thousand that fail."""

from __future__ import annotations

import argparse
import logging
import sys

from chaos.history import History


def main() -> int:
    """Read the command line, and replay; return 1 if a history failed."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Replay histories of the chaos suite.")
    parser.add_argument("first", type=int, help="the seed of the first history")
    parser.add_argument("end", type=int, nargs="?", help="the seed after the last one; without it, there is only one")
    options = parser.parse_args()
    logging.getLogger("tunnel_webhook").propagate = False
    end = options.first + 1 if options.end is None else options.end
    failed = 0
    for seed in range(options.first, end):
        history = History(seed).run()
        failed += bool(history.faults)
        if history.faults or options.end is None:
            sys.stdout.write(f"{history}\n")
    sys.stdout.write(f"{failed} of {end - options.first} histories failed\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
