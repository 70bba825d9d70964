"""Whether a token works.

| token        | `/user/tokens/verify` | `/accounts/{id}/tokens/verify` |
|--------------|-----------------------|--------------------------------|
| a user's     | 200 with its status   | 401, 1000                      |
| an account's | 401, 1000             | 200 with its status            |
| unknown      | 401, 1000             | 401, 1000                      |
"""

from __future__ import annotations

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import succeed
from doubles.emulator.problems import INVALID_TOKEN, Refused
from doubles.emulator.state import State


def verify_user_token(state: State, call: Call) -> Outcome:
    """GET /user/tokens/verify."""
    return _verify(state, call, owner="")


def verify_account_token(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/tokens/verify."""
    return _verify(state, call, owner=call.ids["account"])


def _verify(state: State, call: Call, owner: str) -> Outcome:
    token = call.caller.token
    if token is None or token.account != owner:
        raise Refused(INVALID_TOKEN)
    result = {"id": token.id, "status": token.status, "not_before": token.not_before, "expires_on": token.expires_on}
    return state, succeed({key: value for key, value in result.items() if value})
