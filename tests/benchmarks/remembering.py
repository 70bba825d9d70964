"""What decoding, adjusting and encoding cost, cold and warm, in each of some source trees, and what stays in memory.

`python tests/benchmarks/remembering.py SIZE TREE...` runs the trees in turn, each in a process of its own, and prints
the median of five: seconds of processor time in user mode, and MiB.
"""

import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from tunnel_webhook.adapters.http.wire import decode_endpoints, encode_endpoints
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel

RUNS = 5


def body(size: int, start: int = 0) -> bytes:
    """Return what external-dns sends for so many hostnames, each with a property."""
    return json.dumps(
        [
            {
                "dnsName": f"h{number}.example.com",
                "targets": [f"http://s{number}.ns.svc.cluster.local:80"],
                "recordType": "CNAME",
                "labels": {"owner": "default", "resource": f"ingress/ns/s{number}"},
                "providerSpecific": [{"name": "webhook/no-tls-verify", "value": "true"}],
            }
            for number in range(start, start + size)
        ],
        separators=(",", ":"),
    ).encode()


def measure(size: int) -> dict[str, float]:
    """Return the cost of each step of a first request, of a second one, and the memory that they leave."""
    policy = Policy((Tunnel("t"),))
    costs: dict[str, float] = {}
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime

    def lap(name: str) -> None:
        nonlocal began
        now = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        costs[name] = costs.get(name, 0.0) + now - began
        began = now

    def sync(sent: bytes, when: str) -> None:
        lap("outside")
        endpoints = decode_endpoints(sent)
        lap(f"{when} decode")
        adjusted = adjust(endpoints, policy).endpoints
        lap(f"{when} adjust")
        encode_endpoints(adjusted)
        lap(f"{when} encode")

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    sync(body(1), "first")
    before = resident()
    sent = body(size)
    sync(sent, "cold")
    for _ in range(3):
        sync(sent, "3 warm")
    del sent
    costs["MiB kept"] = resident() - before
    return {name: cost for name, cost in costs.items() if not name.startswith(("first", "outside"))}


def main() -> None:
    size, *trees = sys.argv[1:]
    if not trees:
        sys.stdout.write(json.dumps(measure(int(size))))
        return
    runs: dict[str, list[dict[str, float]]] = {tree: [] for tree in trees}
    for _ in range(RUNS):
        for tree in trees:
            command = ["env", f"PYTHONPATH={tree}/src", sys.executable, __file__, size]
            done = subprocess.run(command, check=True, capture_output=True)
            runs[tree].append(json.loads(done.stdout))
    for tree, results in runs.items():
        medians = {name: round(statistics.median(run[name] for run in results), 3) for name in results[0]}
        sys.stdout.write(f"{tree} {medians}\n")


if __name__ == "__main__":
    main()
