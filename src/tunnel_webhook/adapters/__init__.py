"""Where the ports meet the world: HTTP inbound, Cloudflare outbound, and memory for both driven ports."""
