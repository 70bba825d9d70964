"""Whether a token works, and which accounts it sees.

| token           | `/user/tokens/verify`     | `/accounts/{id}/tokens/verify` | `/accounts`              |
|-----------------|---------------------------|--------------------------------|--------------------------|
| a user's        | 200 with its status       | 401, 1000                      | those granted, or none   |
| an account's    | 401, 1000                 | 200 with its status            | 400, 1001                |
| unknown         | 401, 1000                 | 401, 1000                      | 403, 10000               |
"""

from __future__ import annotations

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import listing, paged, succeed
from doubles.emulator.problems import ACCOUNT_OWNED, AUTHENTICATION_ERROR, INVALID_TOKEN, Refused
from doubles.emulator.state import State
from doubles.emulator.values import Account

_PRAISE = {"code": 10000, "message": "This API Token is valid and active", "type": None}


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
    praise = [_PRAISE] if state.behaviour.verify_message and token.status == "active" else []
    return state, succeed({key: value for key, value in result.items() if value}, praise)


def list_accounts(state: State, call: Call) -> Outcome:
    """GET /accounts."""
    if not call.caller.is_active:
        raise Refused(AUTHENTICATION_ERROR)
    if call.caller.token is not None and call.caller.token.account:
        raise Refused(ACCOUNT_OWNED)
    name = call.request.asked("name")
    seen = [
        account
        for account in state.accounts.values()
        if call.caller.may("account read", account.id) and name in {"", account.name}
    ]
    seen.sort(key=lambda account: account.name, reverse=call.request.asked("direction") == "desc")
    page = paged(call.request, seen, (20, 5, 50), total_pages=state.behaviour.total_pages)
    return state, listing(page, [_told(account) for account in page.items])


def _told(account: Account) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "type": "standard",
        "settings": {"enforce_twofactor": False},
        "created_on": "2014-03-01T12:21:02.000000Z",
    }
