"""Traces sent to a collector: on when the standard environment variables name one (OTEL_EXPORTER_OTLP_ENDPOINT)."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace

from segments.errors import OperatorError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NAME = "segment-assistant"


def asked_for() -> bool:
    """Whether the environment names a collector and does not switch the SDK off."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


def make_provider() -> TracerProvider:
    """A provider that sends spans in batches, as the environment says (OTLP over HTTP). Raises OperatorError."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{ENDPOINTS[0]} is set and {error.name} is not installed; run: pip install 'segment-assistant[otel]'"
        ) from error
    names = {"service.name": os.environ.get("OTEL_SERVICE_NAME", NAME), "service.version": version(NAME)}
    provider = TracerProvider(resource=Resource.create(names))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def start_tracing() -> bool:
    """Send this process's traces where the environment says; False when it says nothing."""
    if not asked_for():
        return False
    trace.set_tracer_provider(make_provider())
    return True
