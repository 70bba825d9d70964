"""The image in a Pod: read-only, unprivileged, configured by the values, and driven by the genuine external-dns."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from container.image import Image
from container.pod import Pod, running_pod
from doubles.child_process import survivors
from doubles.emulator.seed import BLUE
from doubles.emulator.state import State
from external_dns.driver import ExternalDns
from vocabulary.manifests import EXAMPLES, endpoints, environment, load, values, webhook_values

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]

WANTED = [wanted for example in EXAMPLES for wanted in endpoints(load(example), values()["annotationPrefix"])]
HOSTNAMES = sorted(wanted["dnsName"] for wanted in WANTED)
KIBIBYTES = {"Ki": 1, "Mi": 1024}


def test_the_api_is_on_loopback_and_only_health_and_metrics_are_exposed(pod: Pod) -> None:
    assert pod.listening() == {"127.0.0.1:8888", "0.0.0.0:8080"}


def test_it_runs_without_privileges_on_a_root_that_cannot_be_written(pod: Pod) -> None:
    status = pod.status()
    (root,) = re.findall(r"^\S+ \S+ \S+ \S+ / (\S+)", Path(f"/proc/{pod.pid}/mountinfo").read_text(), re.MULTILINE)

    assert {status["Uid"], status["Gid"]} == {"65532 65532 65532 65532"}
    assert status["Groups"] == ""
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapPrm"], 16) == 0
    assert root.split(",")[0] == "ro"


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_a_probe_is_answered(pod: Pod, probe: str) -> None:
    path = webhook_values()[probe]["httpGet"]["path"]

    assert pod.get(f"http://127.0.0.1:8080{path}")[0] == 200


def test_the_worked_examples_go_live_stay_and_are_withdrawn_without_a_trace(
    cloudflare: Callable[[], State], start: Callable[[str], ExternalDns]
) -> None:
    before, external_dns = cloudflare(), start("sync")

    assert external_dns.publish(*WANTED).todo == {"create": HOSTNAMES}
    rules = json.loads(cloudflare().document(BLUE))["ingress"]
    assert sorted(rule["hostname"] for rule in rules[:-1]) == sorted([*HOSTNAMES, "hand.example.com"])
    assert {record.name for record in cloudflare().zone("example.com").records.values()} == set(HOSTNAMES)

    assert external_dns.publish(*WANTED).todo == {}
    assert external_dns.publish().todo == {"delete": HOSTNAMES}
    assert cloudflare().document(BLUE) == before.document(BLUE)
    assert cloudflare().zone("example.com").records == {}


@pytest.mark.usefixtures("cloudflare")
def test_the_policy_of_the_values_withdraws_nothing(start: Callable[[str], ExternalDns]) -> None:
    external_dns = start(values()["policy"])

    assert external_dns.publish(*WANTED).todo == {"create": HOSTNAMES}
    assert external_dns.publish().todo == {}


@pytest.mark.usefixtures("cloudflare")
def test_it_needs_less_memory_than_the_values_ask_for(pod: Pod, start: Callable[[str], ExternalDns]) -> None:
    start("sync").publish(*WANTED)
    number, unit = re.findall(r"(\d+)(\w+)", webhook_values()["resources"]["requests"]["memory"])[0]

    assert "tunnel_webhook_build_info" in pod.get("http://127.0.0.1:8080/metrics")[1]
    assert int(pod.status()["VmHWM"].split()[0]) < int(number) * KIBIBYTES[unit]


def test_it_stops_on_sigterm_as_process_1(pod: Pod) -> None:
    assert pod.status()["NSpid"].split()[-1] == "1"
    assert pod.stop() == 0
    assert '"stopped"' in pod.log.read_text()


def test_no_process_of_a_pod_outlives_it(image: Image, tmp_path: Path) -> None:
    variables = {**environment(webhook_values()), "CLOUDFLARE_API_URL": "http://127.0.0.1:8787"}
    with running_pod(image, variables, tmp_path / "log") as pod:
        assert survivors().keys() >= {pod.process.pid, pod.pid}

    assert survivors().keys().isdisjoint({pod.process.pid, pod.pid})
