"""What a policy allows, in sentences for the operator."""

from dataclasses import replace

from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.external_dns.policy_summary import summary_of
from vocabulary.builders import POLICY


def test_without_a_file_the_settings_are_named() -> None:
    assert summary_of(replace(POLICY, allowed_origins=())) == (
        "every resource may publish every name inside the domain filter (POLICY_FILE is not set)",
        "nothing that a person made may be taken over (ADOPT_HOSTNAMES is not set)",
    )
    policy = replace(
        POLICY, adopt_hostnames=(HostnamePattern.parse("*.old.example.com"),), allowed_origins=("http://a",)
    )
    assert summary_of(policy)[1:] == (
        "origins that are denied by default, and allowed here: http://a",
        "what a person made may be taken over for *.old.example.com (ADOPT_HOSTNAMES)",
    )


def test_a_file_without_shared_hostnames_says_nothing_about_them() -> None:
    permissions = parse_policy_file('version = 1\n[[allow]]\nnamespaces = ["*"]\nhostnames = ["a.example.com"]\n')
    (sentence,) = summary_of(replace(POLICY, permissions=permissions))
    assert sentence == (
        "[[allow]] 1: every namespace may publish a.example.com from same-namespace, default-origin, through tunnel"
        " default, with properties safe"
    )


def test_each_table_of_a_file_is_a_sentence() -> None:
    permissions = parse_policy_file(
        """
        version = 1
        shared = ["www.example.com"]
        [[allow]]
        namespaces = ["team-a", ""]
        hostnames = ["*.a.example.com"]
        except = ["x.a.example.com"]
        wildcards = true
        properties = ["safe", "no-tls-verify"]
        adopt = true
        access = "required"
        [[allow]]
        namespaces = ["*"]
        hostnames = ["b.example.com"]
        properties = []
        [[deny]]
        namespaces = ["team-x"]
        hostnames = ["*.internal.example.com"]
        origins = ["http://10.0.0.0/8:*"]
        properties = ["path-regex"]
        [[deny]]
        hostnames = ["secret.example.com"]
        """
    )
    first, second, *rest = summary_of(replace(POLICY, permissions=permissions))
    assert first == (
        "[[allow]] 1: team-a, endpoints without a namespace may publish *.a.example.com except x.a.example.com,"
        " wildcards included, from same-namespace, default-origin, through tunnel default, with properties safe,"
        " no-tls-verify, only with Access, and may take over what a person made"
    )
    assert second == (
        "[[allow]] 2: every namespace may publish b.example.com from same-namespace, default-origin, through tunnel"
        " default, with no properties"
    )
    assert rest == [
        "[[deny]] 1: never by team-x for *.internal.example.com from http://10.0.0.0/8:* with properties path-regex",
        "[[deny]] 2: never for secret.example.com",
        "namespaces may share www.example.com",
    ]
