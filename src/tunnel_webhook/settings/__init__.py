"""The decisions of the operator, read once from the environment; `VARIABLES` is the table of all of them."""

from tunnel_webhook.settings.decisions import Settings
from tunnel_webhook.settings.loading import ALIASES, RETIRED, InvalidSetting, from_environment, load_settings
from tunnel_webhook.settings.proxies import Proxy
from tunnel_webhook.settings.secret import Secret
from tunnel_webhook.settings.variables import VARIABLES, Variable

__all__ = [
    "ALIASES",
    "RETIRED",
    "VARIABLES",
    "InvalidSetting",
    "Proxy",
    "Secret",
    "Settings",
    "Variable",
    "from_environment",
    "load_settings",
]
