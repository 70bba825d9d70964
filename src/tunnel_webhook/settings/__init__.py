"""What the operator decided, read once from the environment; `VARIABLES` is the one table of what can be set."""

from tunnel_webhook.settings.kinds import Secret
from tunnel_webhook.settings.loading import RETIRED, InvalidSetting, from_environment, load_settings
from tunnel_webhook.settings.variables import VARIABLES, Settings, Variable

__all__ = [
    "RETIRED",
    "VARIABLES",
    "InvalidSetting",
    "Secret",
    "Settings",
    "Variable",
    "from_environment",
    "load_settings",
]
