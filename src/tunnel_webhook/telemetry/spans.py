"""Spans without secrets: a processor that hands a masked copy of each ended span to the next one."""
# ruff: noqa: TID251 -- beside `sdk`, the one module that imports the SDK, and only with a collector of traces

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.trace import Link, Status

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from opentelemetry.util.types import Attributes, AttributeValue

    from tunnel_webhook.telemetry.masking import Masking


class MaskingProcessor(SpanProcessor):
    """Masks names, attributes, events, links and the status of every span before `inner` sees it."""

    def __init__(self, masking: Masking, inner: SpanProcessor) -> None:
        """Take what masks, and the processor that receives the masked spans."""
        self._masking = masking
        self._inner = inner

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass the beginning on; nothing is read from a span that has not ended."""
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Pass a masked copy on."""
        self._inner.on_end(self._masked(span))

    def shutdown(self) -> None:
        """Shut the inner processor down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner processor."""
        return self._inner.force_flush(timeout_millis)

    def _masked(self, span: ReadableSpan) -> ReadableSpan:
        mask, status = self._masking, span.status
        return ReadableSpan(
            name=mask(span.name),
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=[
                Event(mask(event.name), self._attributes(event.attributes), event.timestamp) for event in span.events
            ],
            links=[Link(link.context, self._attributes(link.attributes)) for link in span.links],
            kind=span.kind,
            status=Status(status.status_code, mask(status.description) if status.description else None),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Attributes) -> Mapping[str, AttributeValue]:
        return {key: self._value(value) for key, value in (attributes or {}).items()}

    def _value(self, value: AttributeValue) -> AttributeValue:
        if isinstance(value, str):
            return self._masking(value)
        if isinstance(value, Sequence):
            return cast(
                "AttributeValue", tuple(self._masking(each) if isinstance(each, str) else each for each in value)
            )
        return value
