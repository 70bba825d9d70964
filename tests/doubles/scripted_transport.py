"""A network that answers from a list: for tests of what happens before and after a request is sent."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

import httpx

HTTPX_EXCEPTIONS = sorted(
    (each for each in vars(httpx).values() if isinstance(each, type) and issubclass(each, Exception)),
    key=lambda each: each.__name__,
)
"""Every exception that httpx has."""

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def exception_of(kind: type[Exception], text: str) -> Exception:
    """Return an exception of httpx, whatever its constructor wants."""
    if issubclass(kind, httpx.HTTPStatusError):
        return kind(text, request=httpx.Request("GET", "http://cloudflare/"), response=httpx.Response(500))
    if issubclass(kind, httpx.StreamConsumed | httpx.StreamClosed | httpx.ResponseNotRead | httpx.RequestNotRead):
        return kind()
    return kind(text)


class ScriptedTransport(httpx.AsyncBaseTransport):
    """Gives one answer after the other, the last of them for ever; `requests` holds what was sent."""

    def __init__(self, *answers: Answer) -> None:
        """Take the answers: responses, exceptions to raise, or functions of the request."""
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return or raise the next answer."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


@dataclass(slots=True)
class BrokenBody(httpx.AsyncByteStream):
    """A body that breaks off with an exception."""

    error: Exception
    parts: Iterable[bytes] = field(default=(b'{"success":',))
    closed: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the parts, then break."""
        for part in self.parts:
            yield part
        raise self.error

    async def aclose(self) -> None:
        """Note that the body was closed."""
        self.closed = True
