"""A page that takes no file, however it is asked."""

from __future__ import annotations

from typing import Any

import gradio as gr

from serving.page.words import both


class Fileless(gr.Blocks):
    """A page of which no request may name a file.

    Gradio fetches what a request names as a file, from this machine or from another one, and hands it out again. It looks
    where a file of this machine lies only in pages that it has launched itself.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.has_launched = True

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """What a handler is given. Raises gr.Error where it names a file."""
        if names_file(inputs):
            raise gr.Error(" ".join(both("none.file")), print_exception=False)
        found: list[Any] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        return found


def names_file(value: Any) -> bool:
    """Whether a part of a value is what Gradio takes for a file."""
    if isinstance(value, dict):
        meta = value.get("meta")
        marked = isinstance(meta, dict) and meta.get("_type") == "gradio.FileData"
        return ("path" in value and marked) or any(map(names_file, value.values()))
    return isinstance(value, list) and any(map(names_file, value))
