"""An emulated Cloudflare API: what this project uses, as strict as the real one, inspectable, with scripted faults.

In a test, without sockets:

    emulator = Emulator(seed(["example.com"]))
    emulator.arm(Drop(path="dns_records/batch", when="after"))
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url=BASE_URL) as client:
        ...
    assert emulator.idle == ()                        # every fault struck
    assert emulator.state.document(BLUE) == expected  # what a person would find there

With sockets: `emulator_process(seed())`, or `PYTHONPATH=tests python -m doubles.emulator --port 8787`.

| module                                             | holds                                                     |
|----------------------------------------------------|-----------------------------------------------------------|
| `values` `behaviour` `state` `seed`                | what the API holds, as frozen values; switches; a seed    |
| `routes` `access` `problems` `envelope` `call`     | routing, permissions, every error, the form of answers    |
| `tokens` `zones` `tunnels` `configurations`        | routes: (state, call) -> (state, answer)                  |
| `records` `batch` `draft` `record_rules` `filters` | the same for DNS                                          |
| `faults` `lies` `limits` `log`                     | the script, false answers, the rate limit, calls so far   |
| `emulator` `visit`                                 | the one mutable object, and a call on its way through it  |
| `transport` `server` `control` `process`           | its faces: httpx, sockets, the side door, a child process |
"""

from doubles.emulator.behaviour import Behaviour
from doubles.emulator.emulator import Emulator
from doubles.emulator.faults import HTML, Distort, Drop, Fault, ForeignWrite, Intervention, Lie, Pause, Respond, Slow
from doubles.emulator.process import Control, emulator_process
from doubles.emulator.seed import ACCOUNT, API_TOKEN, BLUE, GREEN, seed, zone_id
from doubles.emulator.state import State
from doubles.emulator.transport import BASE_URL, EmulatorTransport, open_client
from doubles.emulator.values import Account, Configuration, Connector, Record, Token, Tunnel, Zone

__all__ = [
    "ACCOUNT",
    "API_TOKEN",
    "BASE_URL",
    "BLUE",
    "GREEN",
    "HTML",
    "Account",
    "Behaviour",
    "Configuration",
    "Connector",
    "Control",
    "Distort",
    "Drop",
    "Emulator",
    "EmulatorTransport",
    "Fault",
    "ForeignWrite",
    "Intervention",
    "Lie",
    "Pause",
    "Record",
    "Respond",
    "Slow",
    "State",
    "Token",
    "Tunnel",
    "Zone",
    "emulator_process",
    "open_client",
    "seed",
    "zone_id",
]
