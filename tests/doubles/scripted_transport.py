"""A network that answers from a list, for tests of what happens before and after a request is sent."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

HTTPX_EXCEPTIONS = sorted(
    (kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    key=lambda kind: kind.__name__,
)
"""Every exception that httpx exports."""

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def exception_of(kind: type[Exception], text: str) -> Exception:
    """Return an exception of httpx, whatever its constructor takes."""
    if issubclass(kind, httpx.HTTPStatusError):
        return kind(text, request=httpx.Request("GET", "http://cloudflare/"), response=httpx.Response(500))
    if issubclass(kind, httpx.StreamConsumed | httpx.StreamClosed | httpx.ResponseNotRead | httpx.RequestNotRead):
        return kind()
    return kind(text)


class ScriptedTransport(httpx.AsyncBaseTransport):
    """Gives one answer after the other and repeats the last; `requests` holds what was sent."""

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
    """A body that ends in an exception."""

    error: Exception
    content: bytes = b'{"success":'
    is_closed: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the content, then raise."""
        yield self.content
        raise self.error

    async def aclose(self) -> None:
        """Remember that the body was closed."""
        self.is_closed = True
