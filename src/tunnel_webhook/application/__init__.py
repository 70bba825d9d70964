"""What the ports are for: gather what exists, decide purely, act in an order that may stop anywhere.

`service` has the four verbs of external-dns and `operator` the questions of a person. Both gather through `gathering`;
`documents` decides which answers about a tunnel are believed and writes safely; `turns` lets one piece of work run at a
time, `execution` carries plans out, `refusals` remembers what was refused, `deletions` what was deleted, and `contact`
how the driven ports answered; `instrumentation` measures what is done, and `sync_log` logs it.
"""

from tunnel_webhook.application.contact import Contact
from tunnel_webhook.application.deletions import Deletions
from tunnel_webhook.application.documents import Documents
from tunnel_webhook.application.execution import Executor
from tunnel_webhook.application.gathering import Gathering
from tunnel_webhook.application.operator import Operator
from tunnel_webhook.application.refusals import Refusals
from tunnel_webhook.application.service import TunnelService
from tunnel_webhook.application.sync_log import SyncLog
from tunnel_webhook.application.turns import Turns

__all__ = [
    "Contact",
    "Deletions",
    "Documents",
    "Executor",
    "Gathering",
    "Operator",
    "Refusals",
    "SyncLog",
    "TunnelService",
    "Turns",
]
