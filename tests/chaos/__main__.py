"""Replay histories: `PYTHONPATH=tests python -m chaos SEED...` prints what happened in each, and what was wrong."""

from __future__ import annotations

import argparse
import logging
import sys

from chaos.history import History


def main() -> int:
    """Read the command line, and replay."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Replay histories of the chaos suite.")
    parser.add_argument("seed", type=int, nargs="+")
    options = parser.parse_args()
    logging.getLogger("tunnel_webhook").propagate = False
    histories = [History(seed).run() for seed in options.seed]
    for history in histories:
        sys.stdout.write(f"{history}\n")
    return int(any(history.faults for history in histories))


if __name__ == "__main__":
    sys.exit(main())
