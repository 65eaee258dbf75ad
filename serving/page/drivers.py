"""What a model's column measures, in words: those of `warehouse/history.py`, which the catalogue does not know."""

from __future__ import annotations

import re

from assistant.scoring import group_words
from segments.explain import Language

SUBJECTS = {
    "trip_": ("shopping", "购物"),
    "item_": ("this category", "该品类"),
    "mail_": ("campaigns", "营销活动"),
    "coupon_": ("coupons", "优惠券"),
}
MEASURES: tuple[tuple[str, str, str], ...] = (
    (r"hazard_(\d+)", "due within {0} days, by own gaps", "按以往间隔{0}天内到期"),
    (r"poisson_(\d+)", "expected within {0} days, by lately", "按近期频率{0}天内预期"),
    (r"decay_(\d+)", "days, fading over {0}", "天数（{0}天衰减）"),
    (r"decay_value_(\d+)", "spend, fading over {0} days", "消费（{0}天衰减）"),
    (r"days_(\d+)", "days of the last {0}", "近{0}天内的天数"),
    (r"weeks_(\d+)", "weeks of the last {0} days", "近{0}天内的周数"),
    (r"value_(\d+)", "spend in the last {0} days", "近{0}天的消费"),
    (r"lines_(\d+)", "items in the last {0} days", "近{0}天的件数"),
    (r"days_rate_(\d+)", "days a day, last {0}", "近{0}天的日均天数"),
    (r"value_rate_(\d+)", "spend a day, last {0} days", "近{0}天的日均消费"),
    (r"block_share_(\d+)", "share of {0}-day periods", "有购物的{0}天周期占比"),
    (r"blocks_(\d+)", "{0}-day periods", "有购物的{0}天周期数"),
    (r"gaps_due_(\d+)", "gaps that ended within {0} days more", "再过{0}天内结束的间隔数"),
    ("gaps_longer", "gaps longer than now", "比现在更长的间隔数"),
    ("gaps_reached", "gaps as long as now", "不短于现在的间隔数"),
    ("recency", "days since the last", "距上次的天数"),
    ("first", "days since the first", "距首次的天数"),
    ("days", "days in all", "总天数"),
    ("value", "spend in all", "总消费"),
    ("lines", "items in all", "总件数"),
    ("discount", "discounts in all", "总折扣"),
    ("discount_rate", "share of discounts", "折扣占比"),
    ("rate", "days a day", "日均天数"),
    ("recent_rate", "lately against always", "近期与以往之比"),
    ("trend", "last 28 days against 28 before", "近28天与之前28天之比"),
    ("gap_mean", "mean gap", "平均间隔"),
    ("gap_median", "usual gap", "通常间隔"),
    ("gap_max", "longest gap", "最长间隔"),
    ("gap_std", "spread of gaps", "间隔的离散"),
    ("gap_variation", "spread of gaps over their mean", "间隔的变异系数"),
    ("gap_recent", "recent gaps", "近期间隔"),
    ("gap_last", "last gap", "上次间隔"),
    ("overdue_mean", "days since, over the mean gap", "距上次与平均间隔之比"),
    ("overdue_median", "days since, over the usual gap", "距上次与通常间隔之比"),
    ("overdue_max", "days since, over the longest gap", "距上次与最长间隔之比"),
    ("survival", "share of gaps longer than now", "比现在更长的间隔占比"),
    ("value_per_day", "spend a day of shopping", "每次的消费"),
    ("last_value", "spend the last time", "上次的消费"),
    ("last_value_ratio", "last spend against usual", "上次消费与通常之比"),
)
"""By the rest of the column's name; the number in it is a number of days."""


def column_words(column: str, language: Language) -> str:
    """A model's column in words; one without words of its own says what it belongs to."""
    place = int(language == "zh")
    for start, subject in SUBJECTS.items():
        if column.startswith(start):
            for pattern, *words in MEASURES:
                if found := re.fullmatch(pattern, column.removeprefix(start)):
                    return (": ", "：")[place].join((subject[place], words[place].format(*found.groups())))
    return f"{group_words(column)[place]} ({column})"
