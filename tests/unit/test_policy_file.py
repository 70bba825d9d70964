"""The policy file: what it may hold, and the one line that says why it is refused."""

import pytest

from tunnel_webhook.domain.external_dns.policy_file import InvalidPolicyFile, parse_policy_file
from tunnel_webhook.domain.external_dns.property_groups import SAFE_PROPERTIES
from tunnel_webhook.domain.hostname import Hostname

ALLOW = '[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.a.example.com"]\n'
SMALLEST = f"version = 1\n{ALLOW}"


def test_a_table_with_only_what_is_required_is_cautious() -> None:
    (table,) = parse_policy_file(SMALLEST).allow
    assert [pattern.text for pattern in table.origins] == ["same-namespace", "default-origin"]
    assert table.properties == SAFE_PROPERTIES
    assert table.tunnels == {"default"}
    assert (table.wildcards, table.adopt, table.requires_access, table.excepted) == (False, False, False, ())


def test_every_field_is_read() -> None:
    permissions = parse_policy_file(
        """
        version = 1
        shared = ["shared.example.com"]

        [[allow]]
        namespaces = ["team-a", "team-b-*", ""]
        hostnames = ["*.a.example.com"]
        except = ["secret.a.example.com"]
        wildcards = true
        origins = ["any"]
        properties = ["safe", "no-tls-verify"]
        tunnels = ["green"]
        adopt = true
        access = "required"

        [[deny]]
        namespaces = ["team-b-x"]
        hostnames = ["*.internal.example.com"]
        origins = ["http://10.0.0.0/8:*"]
        properties = ["path-regex"]
        """
    )
    (allow,), (deny,) = permissions.allow, permissions.deny
    assert [pattern.text for pattern in allow.namespaces] == ["team-a", "team-b-*", ""]
    assert [str(pattern) for pattern in allow.excepted] == ["secret.a.example.com"]
    assert allow.properties == SAFE_PROPERTIES | {"no-tls-verify"}
    assert (allow.wildcards, allow.adopt, allow.requires_access, allow.tunnels) == (
        True,
        True,
        True,
        frozenset({"green"}),
    )
    assert deny.namespaces is not None
    assert deny.origins is not None
    assert deny.properties == frozenset({"path-regex"})
    assert permissions.is_shared(Hostname("shared.example.com"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("", "version must be 1", id="an empty file"),
        pytest.param("version = 1\n", "allow is missing: without an [[allow]] table nothing", id="no [[allow]]"),
        pytest.param(ALLOW, "version must be 1", id="no version"),
        pytest.param(f"version = 2\n{ALLOW}", "version must be 1", id="another version"),
        pytest.param(f"version = true\n{ALLOW}", "version must be 1", id="a version that is no number"),
        pytest.param(f"version = 1\nowner = 'a'\n{ALLOW}", "'owner' is not a field: accepted are version", id="a key"),
        pytest.param("version = 1\n[[alow]]\n", "'alow' is not a field", id="a misspelt table"),
        pytest.param("version = 1\n[allow]\n", "allow must be tables, each with the heading [[allow]]", id="one table"),
        pytest.param("version = 1\nallow = [1]\n", "allow must be tables", id="no tables"),
        pytest.param("version = = 1", "not TOML: Invalid value (at line 1", id="not TOML"),
        pytest.param(SMALLEST + "origin = ['any']", "[[allow]] 1 'origin' is not a field", id="a key of a table"),
        pytest.param(
            f"{SMALLEST}{ALLOW}adopt = 'yes'", "[[allow]] 2 adopt must be true or false", id="a flag that is a text"
        ),
        pytest.param(SMALLEST + "origins = 'any'", "[[allow]] 1 origins must be a list of texts", id="no list"),
        pytest.param(SMALLEST + "origins = [1]", "[[allow]] 1 origins must be a list of texts", id="no texts"),
        pytest.param(SMALLEST + "origins = []", "[[allow]] 1 origins is an empty list", id="an empty list"),
        pytest.param(
            SMALLEST + "origins = ['http://*']", "[[allow]] 1 origins is wrong: 'http://*' is", id="an origin"
        ),
        pytest.param(SMALLEST + "properties = ['tls']", "[[allow]] 1 properties is wrong: 'tls' is", id="a property"),
        pytest.param(SMALLEST + "access = 'yes'", "[[allow]] 1 access is 'yes': accepted are", id="a choice"),
        pytest.param(SMALLEST + "access = 1", "[[allow]] 1 access must be a text in quotes", id="no text"),
        pytest.param(
            "version = 1\n[[allow]]\nhostnames = ['a.example.com']",
            "[[allow]] 1 namespaces is missing",
            id="no namespaces",
        ),
        pytest.param(
            "version = 1\n[[allow]]\nnamespaces = ['a_b']\nhostnames = ['a.example.com']",
            "[[allow]] 1 namespaces is wrong: 'a_b' is not a namespace",
            id="a namespace",
        ),
        pytest.param(
            "version = 1\n[[allow]]\nnamespaces = ['*']\nhostnames = ['*']",
            "[[allow]] 1 hostnames is wrong: '*' is not a pattern of hostnames",
            id="M1: a glob",
        ),
        pytest.param(
            SMALLEST + "[[deny]]", "[[deny]] 1 has no selector, and would deny everything", id="an empty deny"
        ),
        pytest.param(
            SMALLEST + "[[deny]]\nproperties = []", "[[deny]] 1 properties is an empty list", id="an empty selector"
        ),
        pytest.param(SMALLEST + "[[deny]]\nadopt = true", "[[deny]] 1 'adopt' is not a field", id="a field of allow"),
        pytest.param(f"version = 1\nshared = ['?.a.com']\n{ALLOW}", "shared is wrong: '?.a.com'", id="a shared name"),
        pytest.param("#" * 2**21, "the file has 2097152 characters; at most 1048576 are read", id="a huge file"),
        pytest.param("a=" + "[" * 9999, "not TOML", id="a deep file"),
    ],
)
def test_one_fault_refuses_the_whole_file_in_one_line(text: str, sentence: str) -> None:
    with pytest.raises(InvalidPolicyFile) as error:
        parse_policy_file(text)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
