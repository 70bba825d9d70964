"""Whether everything is in place for the tunnels and zones to be written: the findings of `tunnel-webhook check`.

`inspection` reads, `observations` holds what was read. Pure functions judge it: `access` the credentials, the
clock, the account and the permissions, `tunnels` and `zones` the rest.
"""

from tunnel_webhook.adapters.cloudflare.check.inspection import CloudflareInspection

__all__ = ["CloudflareInspection"]
