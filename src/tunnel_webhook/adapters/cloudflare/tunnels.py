"""TunnelRepository over Cloudflare: the configuration document of a remotely-managed tunnel.

| Cloudflare says                                             | it is                                          |
|-------------------------------------------------------------|------------------------------------------------|
| `config: null`, or a document without `ingress`             | an empty document, with its version            |
| 404 / 1055, and the tunnel is there and remotely managed    | an empty document of version 0                 |
| 404 / 1055, and the tunnel is deleted, or there is none     | PermanentFailure                               |
| `source: local`, `config_src: local`, `remote_config: false`| PermanentFailure: not remotely managed         |
| a write that was not answered, and the document is stored   | written                                        |
| … and nobody has written since                              | written once more                              |
| … and something else is stored                              | TemporaryFailure: nothing is overwritten       |
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import StoredConfiguration, Tunnel, encode_configuration, same_document
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import NO_CONFIGURATION, Refused, Task, Unsettled
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure

_NOT_FOUND = 404
_WRITES = 2


@dataclass(frozen=True, slots=True)
class CloudflareTunnels:
    """The configurations of the tunnels of one account, by tunnel id."""

    api: CloudflareAPI
    directory: ZoneDirectory

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the document now in force; every part of it keeps its text."""
        try:
            stored = await self.api.get(
                StoredConfiguration, Task("load configuration", f"tunnel {tunnel}"), await self._path(tunnel)
            )
        except Refused as refused:
            if refused.status != _NOT_FOUND and refused.code != NO_CONFIGURATION:
                raise
            await self._check_exists(tunnel)
            return TunnelConfiguration()
        if stored.source == "local":
            raise PermanentFailure(_not_remote(tunnel))
        return _parse(tunnel, stored.text, stored.version or 0)

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        """Replace the whole document, and return it as stored.

        After a write that was not answered only what is stored tells whether it took effect. It is repeated while the version
        is still the one that the document is based on, and never over anything else.
        """
        unanswered: Unsettled | None = None
        for _ in range(_WRITES):
            try:
                return await self._replace(tunnel, configuration)
            except Unsettled as error:
                unanswered = error
            stored = await self.load(tunnel)
            if same_document(configuration.text, stored.text):
                return stored
            if stored.version != configuration.version:
                message = (
                    f"cannot save configuration (tunnel {tunnel}): there was no answer, and version {stored.version} is not what"
                    " was sent; the next sync starts from it"
                )
                raise TemporaryFailure(message) from unanswered
        raise TemporaryFailure(str(unanswered)) from unanswered

    async def _replace(self, tunnel: str, configuration: TunnelConfiguration) -> TunnelConfiguration:
        task = Task("save configuration", f"tunnel {tunnel}", writes=True)
        path, body = await self._path(tunnel), encode_configuration(configuration)
        stored = await self.api.write(StoredConfiguration, task, "PUT", path, body)
        version = configuration.version + 1 if stored.version is None else stored.version
        return (
            replace(configuration, version=version) if stored.text == "null" else _parse(tunnel, stored.text, version)
        )

    async def _path(self, tunnel: str) -> str:
        return f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}/configurations"

    async def _check_exists(self, tunnel: str) -> None:
        """Raise PermanentFailure unless the tunnel may have a configuration and merely has none yet."""
        path = f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}"
        try:
            found = await self.api.get(Tunnel, Task("read tunnel", tunnel), path)
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise
            message = (
                f"tunnel {tunnel} does not exist in this account: check CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ACCOUNT_ID"
            )
            raise PermanentFailure(message) from refused
        if found.deleted_at:
            message = f"tunnel {tunnel} was deleted at {found.deleted_at}: set CLOUDFLARE_TUNNEL_ID to one that exists"
            raise PermanentFailure(message)
        if found.is_local:
            raise PermanentFailure(_not_remote(tunnel))


def _parse(tunnel: str, text: str, version: int) -> TunnelConfiguration:
    try:
        return TunnelConfiguration.parse(text, version)
    except InvalidConfiguration as error:
        message = f"tunnel {tunnel}: {error}"
        raise PermanentFailure(message) from error


def _not_remote(tunnel: str) -> str:
    return (
        f"tunnel {tunnel} is not remotely managed: a configuration file beside its cloudflared rules it;"
        " migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to one that is"
    )
