"""The page's look: Gradio's soft theme with the reader's own fonts, and a style sheet over it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

# Fonts of the reader's own system: the default theme would fetch its fonts from another company's server.
THEME = gr.themes.Soft(
    font=["system-ui", "Noto Sans CJK SC", "sans-serif"], font_mono=["ui-monospace", "monospace"]
).set(
    # One shade darker than Soft's own: white on it, and it on white, can be read (WCAG AA, 4.5 : 1).
    input_border_width="1px",
    input_border_color="*neutral_400",
    input_border_color_dark="*neutral_500",
    block_border_width="1px",
    color_accent="*primary_600",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_700",
    block_title_text_color="*primary_800",
    block_title_text_color_dark="*primary_100",
    block_label_text_color="*primary_800",
    block_label_text_color_dark="*primary_100",
    checkbox_label_background_fill_selected="*primary_600",
    checkbox_label_background_fill_selected_dark="*primary_600",
)
CSS = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
