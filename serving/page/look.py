"""The page's look: Gradio's soft theme with the reader's own fonts, and a style sheet over it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

# Fonts of the reader's own system: the default theme would fetch its fonts from another company's server.
THEME = gr.themes.Soft(
    font=["system-ui", "Noto Sans CJK SC", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)
CSS = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
