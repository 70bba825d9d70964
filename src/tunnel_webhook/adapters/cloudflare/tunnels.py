"""TunnelRepository over Cloudflare: the configuration document of a remotely-managed tunnel.

| a read finds                                                   | result                                 |
|----------------------------------------------------------------|----------------------------------------|
| `config: null`, or a document without `ingress`                | an empty document with its version     |
| 404 or 1055, and the tunnel exists and is remotely managed     | an empty document of version 0         |
| 404 or 1055, and the tunnel is deleted or does not exist       | PermanentFailure                       |
| `source: local`, `config_src: local` or `remote_config: false` | PermanentFailure: not remotely managed |

| after an unsettled write, a read finds                          | result                                   |
|-----------------------------------------------------------------|------------------------------------------|
| the document that was sent                                      | it is written                            |
| another document, and the version that the sent one is based on | it is sent once more                     |
| another document and another version                            | TemporaryFailure: nothing is overwritten |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import (
    StoredConfiguration,
    StoredTunnel,
    encode_configuration,
    same_document,
)
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import NO_CONFIGURATION, Operation, Refused, Unsettled
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure

_SAVE_TRIES = 2


@dataclass(frozen=True, slots=True)
class CloudflareTunnels:
    """The configurations of the tunnels of one account, by tunnel id."""

    api: CloudflareAPI
    directory: ZoneDirectory

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the current document; every part of it keeps its text."""
        try:
            operation = Operation("load configuration", f"tunnel {tunnel}")
            stored = await self.api.get(StoredConfiguration, operation, await self._path(tunnel))
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND and refused.code != NO_CONFIGURATION:
                raise
            await self._check_exists(tunnel)
            return TunnelConfiguration()
        if stored.source == "local":
            raise PermanentFailure(_not_remote(tunnel))
        return _parse(tunnel, stored.text, stored.version or 0)

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        """Replace the whole document, and return it as stored.

        An unsettled write is repeated only if the version is still the one that the document is based on.
        """
        unsettled: Unsettled | None = None
        for _ in range(_SAVE_TRIES):
            try:
                return await self._replace(tunnel, configuration)
            except Unsettled as error:
                unsettled = error
            stored = await self.load(tunnel)
            if same_document(configuration.text, stored.text):
                return stored
            if stored.version != configuration.version:
                message = (
                    f"cannot save configuration (tunnel {tunnel}): there was no answer, and version {stored.version} is"
                    " not what was sent; the next sync starts from it"
                )
                raise TemporaryFailure(message) from unsettled
        raise TemporaryFailure(str(unsettled)) from unsettled

    async def _replace(self, tunnel: str, configuration: TunnelConfiguration) -> TunnelConfiguration:
        operation = Operation("save configuration", f"tunnel {tunnel}", writes=True)
        path, body = await self._path(tunnel), encode_configuration(configuration)
        stored = await self.api.write(StoredConfiguration, operation, "PUT", path, body)
        version = configuration.version + 1 if stored.version is None else stored.version
        if stored.text == "null":
            return replace(configuration, version=version)
        return _parse(tunnel, stored.text, version)

    async def _path(self, tunnel: str) -> str:
        return f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}/configurations"

    async def _check_exists(self, tunnel: str) -> None:
        """Raise PermanentFailure unless the tunnel exists and may be given a configuration."""
        path = f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}"
        try:
            state = await self.api.get(StoredTunnel, Operation("read tunnel", tunnel), path)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            cure = "check CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ACCOUNT_ID"
            message = f"tunnel {tunnel} does not exist in this account: {cure}"
            raise PermanentFailure(message) from refused
        if state.deleted_at:
            message = f"tunnel {tunnel} was deleted at {state.deleted_at}: set CLOUDFLARE_TUNNEL_ID to one that exists"
            raise PermanentFailure(message)
        if state.is_local:
            raise PermanentFailure(_not_remote(tunnel))


def _parse(tunnel: str, text: str, version: int) -> TunnelConfiguration:
    try:
        return TunnelConfiguration.parse(text, version)
    except InvalidConfiguration as error:
        message = f"tunnel {tunnel}: {error}"
        raise PermanentFailure(message) from error


def _not_remote(tunnel: str) -> str:
    return (
        f"tunnel {tunnel} is not remotely managed: its cloudflared reads a local configuration file;"
        " migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to a remotely managed tunnel"
    )
