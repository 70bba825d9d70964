"""Doubts: what is published as it is asked, although it probably does not do what was meant."""

import pytest

from tunnel_webhook.domain.external_dns.adjustment import adjust
from vocabulary.builders import POLICY, endpoint


@pytest.mark.parametrize(
    ("name", "target", "doubted"),
    [
        pytest.param("app.example.com", "https://app.example.com", True, id="itself"),
        pytest.param("app.example.com", "app.example.com", True, id="itself as a plain target"),
        pytest.param("app.example.com", "https://APP.example.com.:8443", True, id="in another spelling"),
        pytest.param("*.example.com", "https://a.example.com", True, id="a name below its own wildcard"),
        pytest.param("app.example.com", "https://inner.example.com", False, id="another name"),
        pytest.param("app.example.com", "http_status:204", False, id="no host"),
    ],
)
def test_an_origin_that_is_the_hostname_itself_is_doubted_and_published(
    name: str, target: str, *, doubted: bool
) -> None:
    adjustment = adjust([endpoint(name, target)], POLICY)
    assert not adjustment.unpublishable
    assert [f"{name} has itself as its origin" in doubt.sentence for doubt in adjustment.doubts] == [True] * doubted
    assert [(doubt.hostname, doubt.resource) for doubt in adjustment.doubts] == [(name, "")] * doubted
