"""The process: the command `tunnel-webhook`, and `python -m tunnel_webhook`.

Linux drops a signal that process 1 of a container has no handler for, so SIGTERM and SIGINT get one before the imports,
which take most of a second. The exit code is that of a process which the signal has killed.
"""

import os
import signal
import sys
from types import FrameType


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def run() -> None:
    """Run the command line; SIGTERM and SIGINT end the process at once, unless a command handles them.

    Whatever a command does not expect is one line and the exit code 1.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    from tunnel_webhook.settings.crash import crash_report  # noqa: PLC0415 -- only then

    try:
        from tunnel_webhook.cli import main  # noqa: PLC0415 -- as above

        main(prog_name="tunnel-webhook")
    except Exception as error:  # noqa: BLE001 -- the last resort
        sys.stderr.write(crash_report(error))
        sys.exit(1)


if __name__ == "__main__":
    run()
