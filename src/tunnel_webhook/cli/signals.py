"""Signals: the first one ends serving, and the next one the process."""

from __future__ import annotations

import asyncio
import signal

_ENDING = (signal.SIGTERM, signal.SIGINT)


def first_signal() -> asyncio.Future[None]:
    """Return a future that the first SIGTERM or SIGINT completes; the next one has the effect it has now."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[None] = loop.create_future()
    before = {number: signal.getsignal(number) for number in _ENDING}

    def receive() -> None:
        received.set_result(None)
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)

    for number in _ENDING:
        loop.add_signal_handler(number, receive)
    return received
