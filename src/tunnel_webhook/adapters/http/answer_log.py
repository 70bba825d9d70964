"""The log of answers that are not the asked one: bounded, whatever is asked and however often.

| answer                                       | is logged                                                           |
|----------------------------------------------|---------------------------------------------------------------------|
| 5xx                                          | when it begins, when its sentence changes, and when it ends         |
| a bug                                        | the same, with its traceback                                        |
| 4xx, which no external-dns causes            | five a minute; the others are counted                               |
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from tunnel_webhook.domain.episodes import Episodes, Sight

_REFUSALS, _MINUTE = 5, 60.0

log = logging.getLogger(__name__)


class AnswerLog:
    """Logs the answers of one app; `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without any."""
        self._clock = clock
        self._failures = Episodes()
        self._minute = -_MINUTE
        self._refusals = 0

    def add(self, route: str, status: HTTPStatus, sentence: str, bug: Exception | None = None) -> None:
        """Log an answer to a route, such as `GET /records`; `bug` is an exception that no table expects."""
        text = f"answered {route} with {status}: {sentence}"
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._refuse(text)
            return
        self._failures, news = self._failures.after({route: Sight(text)}, self._clock())
        if news.began or news.changed:
            log.log(logging.ERROR if bug else logging.WARNING, "%s", text, exc_info=bug)

    def succeeded(self, route: str) -> None:
        """Log the end of a failure of this route, and of any that is not seen any more."""
        self._failures, news = self._failures.after({}, self._clock(), route.__eq__)
        for ended, sight in news.ended.items():
            if ended == route:
                log.info("%s succeeds again, after: %s", route, sight.text)

    def _refuse(self, text: str) -> None:
        if self._clock() - self._minute >= _MINUTE:
            if self._refusals > _REFUSALS:
                log.warning("%d more requests were refused like these", self._refusals - _REFUSALS)
            self._minute, self._refusals = self._clock(), 0
        self._refusals += 1
        if self._refusals <= _REFUSALS:
            log.warning("%s", text)
