"""What the genuine cloudflared decides: which documents it accepts, and which rule answers a request."""
