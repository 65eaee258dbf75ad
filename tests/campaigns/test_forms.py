"""Plans compared and on a page, the back-test, and the lookalike dial."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from campaigns.backtest import backtest, past_dates
from campaigns.compare import compare_plans
from campaigns.dial import dial, halves
from campaigns.page import to_html
from campaigns.strategy import plan_strategy
from segments.errors import DefinitionError

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice

OFFERS = [
    {"key": "CHEESE", "name": "CHEESE", "level": "category"},
    {"key": "SOUP", "name": "SOUP", "level": "category"},
]


def test_another_budget_side_by_side(journey: Slice) -> None:
    members = list(journey.features.nlargest(150, "spend_365d").index)
    given = journey._asdict() | {"recommendations": OFFERS}
    small, large = (plan_strategy(members, "grow_basket", budget, **given) for budget in (30.0, 60.0))
    found = compare_plans(small, large)
    lines = {line.name: line for line in found.lines}
    assert (lines["budget"].first, lines["budget"].second, lines["budget"].difference) == (30, 60, 30)
    assert lines["contacts"].difference == large.forecast.contacts - small.forecast.contacts > 0
    for language, word in (("en", "instead"), ("zh", "新方案")):
        words = found.to_markdown(language, "€")
        assert word in words
        assert "+€30.00" in words
        assert words.count("\n|") == len(found.lines) + 2
    assert len({figure.name for figure in found.figures()}) == 3 * len(found.lines) == 3 * len(found.rows())
    with pytest.raises(DefinitionError, match="'fr'"):
        found.to_markdown("fr")

    page = to_html(large.to_markdown("zh") + "\n\n<script>alert(1)</script>", "A & B <plan>", "zh")
    assert 'lang="zh-Hans"' in page
    assert "<title>A &amp; B &lt;plan&gt;</title>" in page
    assert page.count("<table>") == 1
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=", page), "it needs nothing from elsewhere"


def test_the_past_is_foretold_from_the_past_alone(journey: Slice) -> None:
    spend = journey.purchases

    def members_at(day: date) -> list[str]:
        rows = spend[
            (spend["ts"] < np.datetime64(day)) & (spend["ts"] >= np.datetime64(day) - np.timedelta64(90, "D"))
        ]
        return list(rows.groupby("customer_id")["value"].sum().nlargest(300).index)

    tables = (journey.exposures, journey.redemptions, journey.campaigns, journey.purchases)
    found = backtest(members_at, *tables, journey.as_of)
    assert [d.day for d in found.dates] == [date(2017, 12, 2), date(2017, 11, 2), date(2017, 10, 3)]
    for d in found.dates:
        assert d.members == 300
        assert d.bought is not None
        assert d.bought > 0.9, "the best customers come back within 30 days"
    # What is known later changes nothing that was foretold.
    cut = [t[t["ts"] < "2017-10-03"] for t in (journey.exposures, journey.redemptions)]
    again = backtest(members_at, *cut, journey.campaigns, journey.purchases, journey.as_of)
    assert again.dates[2].foretold == found.dates[2].foretold
    assert again.dates[2].observed is None
    assert "not enough data" in again.to_markdown("en")
    assert "数据不足" in again.to_markdown("zh")
    assert len(found.rows()) == 3
    assert not re.search("[\u4e00-\u9fff][,;:()]", found.to_markdown("zh"))
    with pytest.raises(DefinitionError, match="not enough data"):
        backtest(members_at, *tables, date(2017, 2, 1))


def test_past_dates_do_not_overlap_and_have_data_on_both_sides() -> None:
    assert past_dates(date(2018, 1, 1), date(2017, 1, 1), 30) == [
        date(2017, 12, 2),
        date(2017, 11, 2),
        date(2017, 10, 3),
    ]
    assert past_dates(date(2018, 1, 1), date(2017, 11, 1), 30) == [date(2017, 12, 2)]


def test_the_dial_by_hand() -> None:
    members = [f"m{i}" for i in range(200)]
    seeds, hidden = halves(members)
    assert len(seeds) == len(hidden) == 100
    assert halves(list(reversed(members))) == (seeds, hidden)
    others = [f"o{i}" for i in range(900)]
    # The nearest 50 hold 25 hidden ones, the nearest 100 hold 40, the nearest 200 hold 60.
    ranked = [x for pair in zip(hidden[:25], others, strict=False) for x in pair]
    ranked += [*hidden[25:40], *others[25:60], *hidden[40:60], *others[60:140]]
    found = dial(ranked, hidden, population=1100, seeds=100)
    assert [s.size for s in found.settings] == [50, 100, 200]
    assert [s.found for s in found.settings] == [25, 40, 60]
    assert [round(s.lift, 6) for s in found.settings] == [5.0, 4.0, 3.0]
    assert all(s.low < s.lift < s.high for s in found.settings)
    assert "| 100 | 4.00 |" in found.to_markdown("en")
    assert "提升度" in found.to_markdown("zh")
    with pytest.raises(DefinitionError, match="it takes 40"):
        halves(members[:39])
