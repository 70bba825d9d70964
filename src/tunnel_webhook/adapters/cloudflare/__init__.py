"""Both driven ports over Cloudflare's API v4.

Reading order: `codec` (bytes to values and back), `failures` (what a refusal means), `throttle` and `retry` (when to ask, when to
ask again), `credentials` and `client` (the one way out), `directory` (zones and the account), `tunnels`, `writes`, `zones`.
"""
