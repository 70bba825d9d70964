"""The process: the command `tunnel-webhook`, and `python -m tunnel_webhook`.

Linux drops a signal that process 1 of a container has no handler for, so SIGTERM and SIGINT get one before the imports,
which take most of a second. The exit code is that of a process which the signal has killed.
"""

import os
import signal
from types import FrameType


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def run() -> None:
    """Run the command line; SIGTERM and SIGINT end the process at once, unless a command handles them."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    from tunnel_webhook.cli import main  # noqa: PLC0415 -- only then

    main(prog_name="tunnel-webhook")


if __name__ == "__main__":
    run()
