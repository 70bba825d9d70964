"""The real process counts and times its requests, by route and status."""

import re

import httpx

from doubles.process import running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"


def test_requests_are_counted_and_timed_by_route_and_status() -> None:
    with (
        running_webhook({"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}) as running,
        httpx.Client(base_url=running.webhook_url, headers={"Content-Type": MEDIA_TYPE}) as client,
    ):
        client.get("/")
        client.get("/records/?x=1")
        client.get("/records")
        client.post("/adjustendpoints", content=b"[")
        client.post("/records", content=b"{}")
        client.get("/made-up")
        client.put("/records")
        metrics = httpx.get(f"{running.exposed_url}/metrics").text

    counted = dict(
        re.findall(r'^tunnel_webhook_requests_total\{(route="[^"]*",status="\d+")\} (\S+)', metrics, re.MULTILINE)
    )
    assert counted == {
        'route="GET /",status="200"': "1.0",
        'route="GET /records",status="200"': "2.0",
        'route="POST /adjustendpoints",status="400"': "1.0",
        'route="POST /records",status="204"': "1.0",
        'route="unknown",status="404"': "1.0",
        'route="unknown",status="405"': "1.0",
    }
    timed = dict(
        re.findall(
            r'^tunnel_webhook_request_duration_seconds_count\{(route="[^"]*",status="\d+")\} (\S+)',
            metrics,
            re.MULTILINE,
        )
    )
    assert timed == counted
    buckets = re.findall(
        r'^tunnel_webhook_request_duration_seconds_bucket\{le="([^"]+)",route="GET /",', metrics, re.MULTILINE
    )
    assert {"0.005", "0.1", "15.0", "+Inf"} <= set(buckets)
