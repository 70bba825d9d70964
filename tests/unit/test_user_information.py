"""User information: the secret of a URL is named as the fault, and never repeated, whatever may hold it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.domain.external_dns.properties import ORIGIN_PROPERTIES, ROUTE_PROPERTIES
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report
from tunnel_webhook.domain.quotation import has_user_information, listed, masked, quoted, shortened
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, rule

SECRET = "s3cr3t"  # noqa: S105 -- an example
URLS = st.builds(
    "{}{}{}{}@{}".format,
    st.sampled_from(("https://", "http://", "HTTPS://", "//", "ftp://", "https:", "https:/", "")),
    st.sampled_from(("user:", "", "a/b:", "ü:", "u%40x:", "u@x:")),
    st.just(SECRET),
    st.sampled_from(("", "/word", "@", " word", "?x#y", "%2F", "ß.x")),
    st.sampled_from(
        ("host:443", "host", "host/path", "10.0.0.1", "[::1]:80", "", "xn--a.example.com", "host:443/" * 40)
    ),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:p@ss/word@host:443", "https://***@host:443"),
        ("https://token@host", "https://***@host"),
        ("user:secret@host", "***@host"),
        ("https:user:secret@host", "***@host"),
        ("https://user:secret%40host", "https://***@host"),
        ("https://user:secret\uff20host", "https://***@host"),
        ("'https://user:secret@host' is odd", "'https://***@host' is odd"),
        ("/@name", "/@name"),
        ("^/(@|x)", "^/(@|x)"),
        ("https://host:443", "https://host:443"),
    ],
)
def test_user_information_is_masked_and_the_rest_is_kept(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown
    assert has_user_information(text) is ("***@" in shown)


@given(URLS)
def test_no_quotation_repeats_user_information(text: str) -> None:
    assert SECRET not in quoted(text) + shortened(text) + listed([text, "a"]) + masked(text)


@given(URLS)
def test_a_service_with_user_information_is_refused_for_it(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match="has user information before its host") as error:
        OriginService.parse(text)
    assert SECRET not in str(error.value)


def holders(url: str) -> list[Endpoint]:
    """Return an endpoint for every field that may hold a URL."""
    plain = endpoint("app.example.com", "http://app:8080")
    fields: list[Endpoint] = [
        replace(plain, targets=(url,)),
        replace(plain, targets=(url, "http://b")),
        replace(plain, targets=(url, "b")),
        replace(plain, dns_name=url),
        replace(plain, dns_name=f"_a.{url}"),
        replace(plain, set_identifier=url),
        replace(plain, properties=(("webhook/invalid", url),)),
    ]
    for name in (*ROUTE_PROPERTIES, *ORIGIN_PROPERTIES):
        fields += [
            replace(plain, properties=((name, url),)),
            replace(plain, properties=((name, url), (name, url + "x"))),
        ]
    return [*fields, replace(plain, properties=(("webhook/path", f"({url}"), ("webhook/path-match", "regex")))]


@given(URLS)
def test_no_answer_and_no_sentence_holds_the_secret_of_an_endpoint_that_is_refused(url: str) -> None:
    for desired in holders(url):
        adjustment = adjust([desired], POLICY)
        refused = {fault.endpoint for fault in adjustment.unpublishable}
        for adjusted in refused:
            shown = (adjusted.dns_name, adjusted.targets, adjusted.set_identifier, adjusted.properties)
            assert SECRET not in str(shown), desired
        assert not any(SECRET in fault.sentence for fault in adjustment.unpublishable), desired
        existing = Existing.of((ZONE,), {ZONE: ()}, {BLUE: configuration(), GREEN: configuration()})
        for asked in (desired, *adjustment.endpoints):
            rejections = plan(existing, Changes(create=(asked,)), POLICY).rejections
            assert not any(SECRET in rejection.sentence for rejection in rejections), asked


@given(URLS)
def test_no_default_origin_with_user_information_is_repeated(url: str) -> None:
    policy = replace(POLICY, default_origin=url)
    for fault in adjust([endpoint(target="a"), endpoint("b.example.com", "a", port="80")], policy).unpublishable:
        assert SECRET not in fault.sentence


@pytest.mark.parametrize("records", [(), (claim("app.example.com"),)], ids=["a bystander", "managed"])
def test_a_rule_that_a_person_gave_a_secret_is_shown_without_it(records: tuple[object, ...]) -> None:
    document = configuration(rule("app.example.com", f"https://user:{SECRET}@host:443"))
    found = {ZONE: tuple(records)}
    existing = Existing.of((ZONE,), found, {BLUE: document, GREEN: configuration()})  # type: ignore[arg-type]
    asked = Changes(create=(endpoint("app.example.com", "http://other:80"),))
    shown = [
        *(str(each) for each in report(existing, POLICY).endpoints),
        *(r.sentence for r in plan(existing, asked, POLICY).rejections),
    ]
    assert shown
    assert not any(SECRET in text for text in shown)
