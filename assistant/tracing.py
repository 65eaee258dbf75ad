"""Spans of a turn (OpenTelemetry's API): without a tracer that somebody has set up they cost next to nothing.

A span holds names of steps and tools, counts and codes of errors. What a person asked, and who, is in a span only
where `content` says so; an error's message may quote the question, so only its code is kept. Chat spans follow
the semantic conventions for generative AI.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from segments.errors import code_of

tracer = trace.get_tracer("segment-assistant")


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, context: Context | None = None, **attributes: Any
) -> Iterator[Span]:
    """A span that is the parent of those within it. An attribute that is None is left out."""
    options: Any = {"record_exception": False, "set_status_on_exception": False, "context": context}
    with tracer.start_as_current_span(name, kind=kind, **options) as opened:
        note(opened, **attributes)
        try:
            yield opened
        except BaseException as error:
            failed(opened, error)
            raise


def note(opened: Span, **attributes: Any) -> None:
    """Set attributes under the product's name; None is left out."""
    for name, value in attributes.items():
        if value is not None:
            opened.set_attribute(f"segassist.{name}", value)


def failed(opened: Span, error: BaseException) -> None:
    """Mark a span as failed, with the error's code and not its words."""
    opened.set_attribute("error.type", code_of(error))
    opened.set_status(Status(StatusCode.ERROR))


@contextmanager
def chat_span(model: str) -> Iterator[Span]:
    """A call of the language model. It is no parent, so that it may stay open while words are streamed."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    opened = tracer.start_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=attributes)
    try:
        yield opened
    except BaseException as error:
        if not isinstance(error, GeneratorExit):
            failed(opened, error)
        raise
    finally:
        opened.end()


def count_tokens(opened: Span, usage: Any) -> None:
    """Keep what a server said it read and wrote; some say nothing."""
    if usage:
        opened.set_attribute("gen_ai.usage.input_tokens", usage["input_tokens"])
        opened.set_attribute("gen_ai.usage.output_tokens", usage["output_tokens"])
