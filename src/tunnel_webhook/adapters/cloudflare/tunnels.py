"""TunnelRepository over Cloudflare: the configuration document of a remotely-managed tunnel.

| a read finds                                                   | result                                 |
|----------------------------------------------------------------|----------------------------------------|
| `config: null`, or a document without `ingress`                | an empty document with its version     |
| 404 or 1055, and the tunnel exists and is remotely managed     | an empty document of version 0         |
| 404 or 1055, and the tunnel is deleted or does not exist       | TunnelMissing                          |
| `source: local`, `config_src: local` or `remote_config: false` | PermanentFailure: not remotely managed |

| a write                                      | result                                                               |
|----------------------------------------------|----------------------------------------------------------------------|
| two reads find another document than `base`  | Superseded, with both                                                |
| is answered                                  | the version in the answer                                            |
| was certainly not carried out (429, 503, no  | once more, from the two reads on                                     |
| connection)                                  |                                                                      |
| has no answer, and a read finds the document | the version that the read found                                      |
| that was sent under a higher version         |                                                                      |
| has no answer, and a read finds anything else| Unsettled: it is not repeated, since it may still be carried out     |
| is refused with 1056                         | Unacceptable                                                         |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from opentelemetry import metrics

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.codec import StoredConfiguration, StoredTunnel, encode_configuration
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import (
    BAD_CONFIGURATION,
    NO_CONFIGURATION,
    NotDone,
    Operation,
    Refused,
)
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.sameness import is_same_document
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.ports import (
    PermanentFailure,
    Superseded,
    TemporaryFailure,
    TunnelMissing,
    Unacceptable,
    Unsettled,
)

_ABSENT = StoredConfiguration()

_meter = metrics.get_meter("tunnel_webhook")
_window = _meter.create_histogram(
    "tunnel_webhook_write_window_seconds",
    unit="s",
    description="Time from the last read of a configuration to the answer to its write, in which a write by someone"
    " else is lost",
    explicit_bucket_boundaries_advisory=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class _Write:
    """Everything that is sent and compared, so that next to nothing is computed between the reads and the write.

    `same` holds the texts that are known to say what `base` says: of two equal answers only the first is decoded.
    """

    tunnel: str
    path: str
    base: TunnelConfiguration
    configuration: TunnelConfiguration
    body: bytes
    same: set[str]

    @property
    def operation(self) -> Operation:
        return Operation("save configuration", f"tunnel {self.tunnel}", writes=True)

    def rests_on(self, stored: StoredConfiguration) -> bool:
        """Whether what is stored is what the new document was made from."""
        if (stored.version or 0) != self.base.version:
            return False
        text = stored.text
        if text not in self.same and is_same_document(text, self.base.text):
            self.same.add(text)
        return text in self.same


@dataclass(frozen=True, slots=True)
class CloudflareTunnels:
    """The configurations of the tunnels of one account, by tunnel id; `clock` is monotonic, in seconds."""

    api: CloudflareAPI
    directory: ZoneDirectory
    clock: Callable[[], float]

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the current document; every part of it keeps its text."""
        return _parse(tunnel, await self._read(tunnel))

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        """Replace the whole document if it is still `base`, and return its version."""
        path, body = await self._path(tunnel), encode_configuration(configuration)
        write = _Write(tunnel, path, base, configuration, body, {base.text})
        try:
            return await self._replace(write, may_write)
        except NotDone:
            return await self._replace(write, may_write)

    async def _replace(self, write: _Write, may_write: Callable[[], bool]) -> int | Superseded:
        readings = await gather_or_cancel([self._compare(write), self._compare(write)])
        read_at = self.clock()
        (one, is_base), (other, is_base_too) = readings
        if not (is_base and is_base_too):
            return Superseded((_parse(write.tunnel, one), _parse(write.tunnel, other)))
        if not may_write():
            message = f"{write.operation}: it would come too late; the next sync starts from what is stored"
            raise TemporaryFailure(message)
        try:
            stored = await self.api.write_at_once(StoredConfiguration, write.operation, "PUT", write.path, write.body)
        except Unsettled as unsettled:
            return await self._settle(write, unsettled)
        except Refused as refused:
            raise _unacceptable(refused) from refused
        _window.record(self.clock() - read_at)
        return write.base.version + 1 if stored.version is None else stored.version

    async def _compare(self, write: _Write) -> tuple[StoredConfiguration, bool]:
        """Return what is stored, and whether the new document was made from it."""
        stored = await self._read(write.tunnel)
        return stored, write.rests_on(stored)

    async def _settle(self, write: _Write, unsettled: Unsettled) -> int:
        """Return the version under which a document is stored whose write had no answer."""
        stored = await self._read(write.tunnel)
        version = stored.version or 0
        if version > write.base.version and is_same_document(stored.text, write.configuration.text):
            return version
        message = f"{unsettled}; version {version} is not what was sent, and the next sync starts from it"
        raise Unsettled(message) from unsettled

    async def _read(self, tunnel: str) -> StoredConfiguration:
        """Return what is stored; nothing where the tunnel has no configuration yet."""
        operation = Operation("load configuration", f"tunnel {tunnel}")
        try:
            stored = await self.api.get(StoredConfiguration, operation, await self._path(tunnel))
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND and refused.code != NO_CONFIGURATION:
                raise
            await self._check_exists(tunnel)
            return _ABSENT
        if stored.source == "local":
            raise PermanentFailure(_not_remote(tunnel))
        return stored

    async def _path(self, tunnel: str) -> str:
        return f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}/configurations"

    async def _check_exists(self, tunnel: str) -> None:
        """Raise TunnelMissing or PermanentFailure unless the tunnel exists and may be given a configuration."""
        path = f"/accounts/{await self.directory.account_id()}/cfd_tunnel/{tunnel}"
        try:
            state = await self.api.get(StoredTunnel, Operation("read tunnel", tunnel), path)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            cure = "check CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ACCOUNT_ID"
            message = f"tunnel {tunnel} does not exist in this account: {cure}"
            raise TunnelMissing(message) from refused
        if state.deleted_at:
            message = f"tunnel {tunnel} was deleted at {state.deleted_at}: set CLOUDFLARE_TUNNEL_ID to one that exists"
            raise TunnelMissing(message)
        if state.is_local:
            raise PermanentFailure(_not_remote(tunnel))


def _parse(tunnel: str, stored: StoredConfiguration) -> TunnelConfiguration:
    try:
        return TunnelConfiguration.parse(stored.text, stored.version or 0)
    except InvalidConfiguration as error:
        message = f"tunnel {tunnel}: {error}"
        raise PermanentFailure(message) from error


def _unacceptable(refused: Refused) -> PermanentFailure:
    """Return the failure of a refused write: Unacceptable where the document is at fault."""
    return Unacceptable(str(refused)) if refused.code == BAD_CONFIGURATION else refused


def _not_remote(tunnel: str) -> str:
    return (
        f"tunnel {tunnel} is not remotely managed: its cloudflared reads a local configuration file;"
        " migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to a remotely managed tunnel"
    )
