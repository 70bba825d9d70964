"""Both driven ports over Cloudflare's API v4.

Reading order: `envelope` and `codec` (bytes to values and back), `failures` (what a refusal means), `throttle` and `retry` (when
to ask, and when to ask again), `credentials` and `client` (the one way out), `directory` (the zones and the account), `tunnels`,
`writes` and `saving` (how a batch is written), `zones`; `inspection` (whether all is in place).
"""
