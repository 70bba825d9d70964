"""The emulator as a process: `PYTHONPATH=tests python -m doubles.emulator --port 8787 [--seed FILE]`.

It listens on loopback only, and prints its URL as soon as it does. SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from doubles.clock import SystemClock
from doubles.emulator.emulator import Emulator
from doubles.emulator.routes import BASE
from doubles.emulator.seed import seed
from doubles.emulator.server import HOST, serve
from doubles.emulator.state import State


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m doubles.emulator", description="An emulated Cloudflare API for tests."
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0, the default, takes any free one")
    parser.add_argument("--seed", help="a file with the initial state, as JSON; - for standard input")
    options = parser.parse_args()
    asyncio.run(_serve(Emulator(_state(options.seed), SystemClock()), options.port))


def _state(source: str | None) -> State:
    if source is None:
        return seed()
    text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    return msgspec.json.decode(text, type=State)


async def _serve(emulator: Emulator, port: int) -> None:
    serving = asyncio.ensure_future(serve(emulator, port, _announce))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    await asyncio.wait([serving])
    if not serving.cancelled():
        serving.result()


def _announce(port: int) -> None:
    sys.stdout.write(f"http://{HOST}:{port}{BASE}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
