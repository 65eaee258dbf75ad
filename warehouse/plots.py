"""The plots of a report, drawn as SVG that stands in a page by itself."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 10, 30
_COLOURS = ("#1f77b4", "#d95f02", "#2ca02c", "#c51b7d", "#6a51a3", "#8c564b", "#636363", "#0e7c7b", "#a67c00")


def lines(series: Mapping[str, Sequence[tuple[date, int]]], label: str) -> str:
    """Positive counts over days by name, on a logarithmic scale, as SVG with a legend. label: what readers hear."""
    points = [point for found in series.values() for point in found]
    first, last = min(day for day, _ in points), max(day for day, _ in points)
    span = max((last - first).days, 1)
    low = math.floor(math.log10(min(number for _, number in points)))
    high = max(math.ceil(math.log10(max(number for _, number in points))), low + 1)

    def x(day: date) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first).days / span

    def y(number: float) -> float:
        return _height((math.log10(number) - low) / (high - low))

    drawn = [_line_across(y(10**power), f"{10**power:,}") for power in range(low, high + 1)]
    drawn += [
        _below(x(day), day.isoformat(), "start" if part == 0 else "end" if part == 4 else "middle")
        for part, day in ((part, first + timedelta(days=span * part // 4)) for part in range(5))
    ]
    for place, (name, found) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        path = " ".join(f"{x(day):.1f},{y(number):.1f}" for day, number in found)
        drawn.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round"/>'
        )
        drawn.append(
            f'<text x="{WIDTH - _RIGHT + 8}" y="{_TOP + 14 + 15 * place}" fill="{colour}">{html.escape(name)}</text>'
        )
    return _svg(drawn, label)


def bars(counts: Mapping[int, int], width: float, label: str) -> str:
    """A histogram as SVG: how many lie in [place * width, (place + 1) * width), by place from 0."""
    most, places = max(counts.values()), max(counts) + 1
    each = (WIDTH - _LEFT - _RIGHT) / places
    drawn = [_line_across(_height(n / most), f"{n:,.0f}") for n in _steps(most) if n == round(n)]
    drawn += [
        f'<rect x="{_LEFT + place * each:.1f}" y="{_height(number / most):.1f}" width="{each:.1f}" '
        f'height="{_height(0) - _height(number / most):.1f}" fill="{_COLOURS[0]}"/>'
        for place, number in sorted(counts.items())
    ]
    drawn += [
        _below(_LEFT + value / width * each, f"{value:,.10g}", "middle") for value in _steps(width * places)
    ]
    return _svg(drawn, label)


def _steps(most: float) -> list[float]:
    """0 and the round numbers up to `most`, three to six of them."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * place for place in range(int(most / step) + 1)]


def _height(share: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _line_across(y: float, text: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _below(x: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{text}</text>'


def _svg(drawn: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(label)}" font-size="11">'
        f"{''.join(drawn)}</svg>"
    )
