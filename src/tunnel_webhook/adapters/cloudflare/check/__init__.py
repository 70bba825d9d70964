"""Whether everything is in place for the tunnels and zones to be written: what `tunnel-webhook check` tells.

`gathering` reads, `sightings` holds what was read, and pure functions judge it: `access` the credentials, the clock, the account
and the permissions, `tunnels` and `zones` the rest.
"""

from tunnel_webhook.adapters.cloudflare.check.gathering import CloudflareInspection

__all__ = ["CloudflareInspection"]
