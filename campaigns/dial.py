"""The lookalike dial: how much like a segment the nearest N customers are, for growing N.

Half of the segment is hidden, the other half is searched with, and what the search brings back among
everybody else is counted: the hidden members found, against their share among everybody searched. The
lift falls as the audience grows; a marketer turns the dial to the size that is still good enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from campaigns.display import share
from campaigns.response import jeffreys
from segments.errors import DefinitionError
from segments.ports import Figure

SIZES = (50, 100, 200, 400, 800)
MIN_HIDDEN = 20


@dataclass(frozen=True)
class Setting:
    """A size of the audience: hidden members among it, their share over the share among all searched."""

    size: int
    found: int
    lift: float
    low: float
    high: float
    reach: float


@dataclass(frozen=True)
class Dial:
    """Settings by growing size. hidden: members hidden; searched: customers searched among."""

    hidden: int
    searched: int
    level: float
    settings: tuple[Setting, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("hidden", self.hidden, "customers", "members hidden", "隐藏的成员"),
            Figure("searched", self.searched, "customers", "customers searched", "搜索范围客户数"),
        ]
        for s in self.settings:
            en, zh = f"lift of the nearest {s.size}", f"最近{s.size}名的提升度"
            found.append(Figure(f"lift.{s.size}", s.lift, "ratio", en, zh, s.low, s.high, self.level))
            en, zh = (
                f"share of hidden members among the nearest {s.size}",
                f"最近{s.size}名中找回的隐藏成员占比",
            )
            found.append(Figure(f"reach.{s.size}", s.reach, "share", en, zh))
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a size."""
        return [asdict(setting) for setting in self.settings]

    def to_markdown(self, language: str = "en") -> str:
        """A table ('en' or 'zh')."""
        zh = language == "zh"
        head = (
            f"**相似人群刻度**：隐藏{self.hidden:,}名成员，在{self.searched:,}名客户中搜索。\n\n"
            "| 人数 | 提升度 | 区间 | 找回 |"
            if zh
            else f"**Lookalike dial**: {self.hidden:,} members hidden among {self.searched:,} customers searched.\n\n"
            "| size | lift | interval | hidden members found |"
        )
        lines = [
            f"| {s.size:,} | {s.lift:.2f} | {s.low:.2f} – {s.high:.2f} | {share(s.reach)} |"
            for s in self.settings
        ]
        return "\n".join([head, "|---|---|---|---|", *lines])


def halves(members: Sequence[str], salt: str = "dial") -> tuple[list[str], list[str]]:
    """(to search with, hidden): the members in two halves by hash. Raises DefinitionError for too few."""
    if len(members) < 2 * MIN_HIDDEN:
        raise DefinitionError(
            f"The dial: not enough data, {len(members)} members; it takes {2 * MIN_HIDDEN} to hide half of them.",
            f"对照比例的选择：数据不足，只有{len(members)}名成员；隐去一半至少需要{2 * MIN_HIDDEN}名。",
        )
    ordered = sorted(members, key=lambda customer: hashlib.sha256(f"{salt}:{customer}".encode()).digest())
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]


def dial(
    ranked: Sequence[str], hidden: Sequence[str], population: int, seeds: int, level: float = 0.95
) -> Dial:
    """ranked: what the search with the first half brought, nearest first, that half left out.

    population: customers in all; seeds: size of the half that was searched with.
    """
    wanted, searched = set(hidden), population - seeds
    base = len(wanted) / searched
    settings = []
    for size in SIZES:
        if size > min(len(ranked), searched // 2):
            break
        found = sum(customer in wanted for customer in ranked[:size])
        low, high = jeffreys(found, size, level)
        settings.append(
            Setting(size, found, found / size / base, low / base, high / base, found / len(wanted))
        )
    return Dial(len(wanted), searched, level, tuple(settings))
