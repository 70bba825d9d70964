"""What the ports are for: `service` gathers and decides, `execution` acts, `telling` says what was done."""

from tunnel_webhook.application.service import Contact, TunnelService

__all__ = ["Contact", "TunnelService"]
