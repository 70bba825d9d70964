"""Both driven ports over Cloudflare's API v4, and the inspection behind `check`.

Reading order: `envelope` and `codec` (bytes to values and back), `outcomes` (what an outcome of a call means),
`failures` (how it is raised), `throttle` and `retry` (when to ask, and when to ask again), `credentials` and `client`
(the only way out), `directory` (zones, plans, account), `tunnels`, `batches` and `batch_writer` (how records are
written), `zones`, and `check`.
"""
