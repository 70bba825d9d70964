"""An external-dns webhook provider that publishes hostnames through Cloudflare Tunnel."""
