"""A plan or a result as one HTML page that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;display:block;overflow-x:auto}
th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}
@media print{body{margin:0}}
"""


def to_html(markdown: str, title: str, language: str = "en") -> str:
    """The page. Markup within the Markdown is shown as text, never run."""
    body = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").render(markdown)
    lang = "zh-Hans" if language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
