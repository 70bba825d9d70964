"""False answers to a GET: what each kind of `Lie` says instead of the truth. The state stays as it is.

| kind             | concerns           | the answer                                                               |
|------------------|--------------------|--------------------------------------------------------------------------|
| `refusal`        | any GET            | `status` and an error of this `code`, or without any error               |
| `no result`      | any GET            | 200 and `result: {}`                                                     |
| `stale`          | any GET            | what was true `behind` answers or `age` seconds ago                      |
| `null`           | a configuration    | `config: null`                                                           |
| `blank`          | a configuration    | `config: {}`                                                             |
| `no ingress`     | a configuration    | the document without `ingress`                                           |
| `no rules`       | a configuration    | the document with `ingress: []`                                          |
| `another tunnel` | a configuration    | the document and version of another tunnel, under the id that was asked  |
| `version`        | a configuration    | the true document                                                        |
| `partial`        | a configuration    | the document with the rules at the positions `keep`, and its catch-all   |
| `partial`        | zones, DNS records | the entries at the positions `keep`, counted as if they were all         |
| `empty`          | zones, DNS records | no entry, and a total of 0                                               |
| `repeated page`  | zones, DNS records | the first page, whichever was asked                                      |
| `total`          | zones, DNS records | the true entries, and a total of one more than there are                 |
| `deleted`        | a tunnel           | the tunnel with `deleted_at`                                             |

A configuration is given the `version` of the lie, if it has one. Where the truth is an error, only `refusal`, `no
result`, `stale` and `another tunnel` hide it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from doubles.emulator.envelope import Request, Response, succeed
from doubles.emulator.faults import Falsehood, Lie
from doubles.emulator.routes import answer
from doubles.emulator.state import State
from doubles.emulator.values import EPOCH

Members = dict[str, msgspec.Raw]
Change = Callable[[Lie, Members], dict[str, Any]]
"""The members of an answer, or of its result, that a lie replaces."""

_members = msgspec.json.Decoder(Members)
_entries = msgspec.json.Decoder(list[msgspec.Raw])
_EMPTY_ARRAY, _NULL = msgspec.Raw(b"[]"), msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Past:
    """A state, and since when it was in force, in seconds since the epoch."""

    since: float
    state: State


def false_answer(lie: Lie, request: Request, past: Sequence[Past], now: float) -> Response:
    """Return what a lie answers to a request; the last of the `past` is the present."""
    state = past[-1].state
    match lie.tells:
        case "refusal":
            return _refusal(lie)
        case "no result":
            return succeed({})
        case "stale":
            return _stale(lie, request, past, now)
        case "another tunnel":
            return _of_another_tunnel(request, state, now)
        case "repeated page":
            request = replace(request, query=tuple(pair for pair in request.query if pair[0] != "page"))
    truth = answer(state, request, now)[1]
    body = _members.decode(truth.body)
    if truth.status != 200 or body["result"] == _NULL:
        return truth
    return replace(truth, body=msgspec.json.encode(body | _CHANGES[lie.tells](lie, body)))


def _refusal(lie: Lie) -> Response:
    errors = [] if lie.code is None else [{"code": lie.code, "message": "Not found"}]
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    return Response(lie.status, msgspec.json.encode(body))


def _stale(lie: Lie, request: Request, past: Sequence[Past], now: float) -> Response:
    """Return an earlier answer; the oldest that is remembered, if there are not as many."""
    if lie.age is not None:
        states = [each.state for each in past if each.since <= now - lie.age] or [past[0].state]
        return answer(states[-1], request, now)[1]
    answers: list[Response] = []
    for each in reversed(past):
        response = answer(each.state, request, now)[1]
        if not answers or response != answers[-1]:
            answers.append(response)
        if len(answers) > lie.behind:
            break
    return answers[-1]


def _of_another_tunnel(request: Request, state: State, now: float) -> Response:
    asked = next(tunnel for tunnel in state.tunnels if f"/{tunnel}/" in request.path)
    other = next((tunnel for tunnel in state.tunnels if tunnel != asked), asked)
    truth = answer(state, replace(request, path=request.path.replace(asked, other)), now)[1]
    return replace(truth, body=truth.body.replace(other.encode(), asked.encode()))


def _falsified(change: Change) -> Change:
    """Return a change of the members of a result as a change of the members of an answer."""

    def falsify(lie: Lie, body: Members) -> dict[str, Any]:
        result = _members.decode(body["result"])
        version = {} if lie.version is None else {"version": lie.version}
        return {"result": result | change(lie, result) | version}

    return falsify


def _without_ingress(_: Lie, result: Members) -> dict[str, Any]:
    document = _document(result)
    document.pop("ingress", None)
    return {"config": document}


def _with_some_rules(lie: Lie, result: Members) -> dict[str, Any]:
    document = _document(result)
    rules = _entries.decode(document.get("ingress", _EMPTY_ARRAY))
    return {"config": document | {"ingress": [*_kept(lie, rules[:-1]), *rules[-1:]]}}


def _document(result: Members) -> dict[str, Any]:
    return dict(_members.decode(result["config"]) if result["config"] != _NULL else {})


def _some_entries(lie: Lie, body: Members) -> dict[str, Any]:
    kept = _kept(lie, _entries.decode(body["result"]))
    return {"result": kept, "result_info": _info(body) | {"count": len(kept), "total_count": len(kept)}}


def _kept(lie: Lie, entries: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
    return [entry for place, entry in enumerate(entries) if place in lie.keep]


def _partial(lie: Lie, body: Members) -> dict[str, Any]:
    is_list = bytes(body["result"]).startswith(b"[")
    return _some_entries(lie, body) if is_list else _falsified(_with_some_rules)(lie, body)


def _wrong_total(_: Lie, body: Members) -> dict[str, Any]:
    info = _info(body)
    return {"result_info": info | {"total_count": info["total_count"] + 1}}


def _info(body: Members) -> dict[str, int]:
    return msgspec.json.decode(body["result_info"], type=dict[str, int])


_CHANGES: Mapping[Falsehood, Change] = {
    "null": _falsified(lambda _, __: {"config": None}),
    "blank": _falsified(lambda _, __: {"config": {}}),
    "no ingress": _falsified(_without_ingress),
    "no rules": _falsified(lambda _, result: {"config": _document(result) | {"ingress": []}}),
    "version": _falsified(lambda _, __: {}),
    "partial": _partial,
    "empty": lambda lie, body: _some_entries(msgspec.structs.replace(lie, keep=()), body),
    "repeated page": lambda _, __: {},
    "total": _wrong_total,
    "deleted": _falsified(lambda _, __: {"deleted_at": EPOCH}),
}
