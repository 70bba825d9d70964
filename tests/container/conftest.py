"""The image, built once; Pods of it with the variables of `deploy/values.yaml`; and the programs beside it in a Pod."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from container.image import Image, build, missing
from container.pod import Pod, running_pod
from doubles.child_process import child_process
from doubles.emulator.routes import BASE
from doubles.emulator.seed import seed
from doubles.emulator.state import State
from doubles.emulator.values import Token
from external_dns.driver import NEWEST, ExternalDns
from vocabulary.manifests import environment, values, webhook_values

TESTS = Path(__file__).parents[1]
CLOUDFLARE = "http://127.0.0.1:8787"
# In the form that Cloudflare returns, so that it can be compared byte for byte.
BY_HAND = (
    '{"x":1.50,"ingress":[{"service":"http://by-hand:80","hostname":"hand.example.com"},{"service":"http_status:404"}],'
    '"warp-routing":{"enabled":false}}'
)


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="image-") as scratch:
        yield build(Path(scratch))


@pytest.fixture
def pod(image: Image, tmp_path: Path) -> Iterator[Pod]:
    variables = {**environment(webhook_values()), "CLOUDFLARE_API_URL": CLOUDFLARE + BASE}
    with running_pod(image, variables, tmp_path / "log") as running:
        yield running
    sys.stderr.write(running.log.read_text())


@pytest.fixture
def cloudflare(pod: Pod, tmp_path: Path) -> Iterator[Callable[[], State]]:
    """Run the emulator at the webhook's address of Cloudflare; return a function that reads its state."""
    token = environment(webhook_values())["CLOUDFLARE_API_TOKEN"]
    state = seed(values()["domainFilters"], document=BY_HAND).with_token(Token(token))
    (tmp_path / "seed").write_bytes(msgspec.json.encode(state))
    port = CLOUDFLARE.rpartition(":")[2]
    command = pod.beside(sys.executable, "-m", "doubles.emulator", "--port", port, "--seed", tmp_path / "seed")
    with child_process(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(TESTS)}) as process:
        assert process.stdout
        assert process.stdout.readline()
        yield lambda: msgspec.json.decode(pod.get(f"{CLOUDFLARE}/_control/state")[1], type=State)


@pytest.fixture
def start(pod: Pod, program: Callable[[str], Path]) -> Iterator[Callable[[str], ExternalDns]]:
    """Start the newest genuine external-dns beside the webhook, with the flags of the values but another policy."""
    chart = values()
    flags = ["-url", chart["extraArgs"]["webhook-provider-url"], "-registry", chart["registry"]]
    flags += ["-owner", chart["txtOwnerId"], "-domain-filter", ",".join(chart["domainFilters"])]
    with ExitStack() as stack:

        def begin(policy: str) -> ExternalDns:
            command = pod.beside(program(NEWEST.replace(".", "_")), *flags, "-policy", policy)
            process = stack.enter_context(
                child_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert process.stdin
            assert process.stdout
            return ExternalDns(process.stdin, process.stdout)

        yield begin
