"""Lookalikes as whom a campaign is for: how many of a segment's nearest customers are still like it, as measured."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.dial import Dial, Setting
from segments.ports import Figure


@dataclass(frozen=True)
class Acquisition:
    """The nearest `size` customers of a segment of `seed`, its members left out. asked: whether the size was given.

    measured: the largest measured size of the dial up to it, at `level`; None where the segment is too small to measure.
    """

    seed: int
    size: int
    asked: bool
    measured: Setting | None
    level: float = 0.95

    @property
    def proven(self) -> bool:
        """Whether the search finds the segment's own kind better than chance."""
        return self.measured is not None and self.measured.low > 1

    @property
    def words(self) -> tuple[str, str]:
        """How they were found, in English and Chinese; goes on after the number of customers."""
        chosen = (
            ("as many as asked for", "按要求的人数")
            if self.asked
            else ("as many as still are", "仍明显相似的人数")
        )
        english = f" nearest in behaviour to the segment's {self.seed:,}, none of them a member"
        chinese = f"（行为上与该分群{self.seed:,}名成员最接近的非成员"
        if self.measured is not None:
            found = self.measured
            english += (
                f" ({chosen[0]}; of the nearest {found.size:,}, {found.lift:.2f} times as many are of its kind as "
                f"among all, {found.low:.2f} to {found.high:.2f})"
            )
            chinese += (
                f"；{chosen[1]}；最近{found.size:,}名中同类占比为全体的{found.lift:.2f}倍，"
                f"{found.low:.2f}至{found.high:.2f}"
            )
        return english, chinese + "）"

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        found = [
            Figure("seed", self.seed, "customers", "customers in the seed segment", "种子客户数"),
            Figure("size", self.size, "customers", "lookalikes", "相似客户数"),
        ]
        if (at := self.measured) is not None:
            measured = (at.lift, "ratio", f"lift of the nearest {at.size}", f"最近{at.size}名的提升度")
            found.append(
                Figure("measured_size", at.size, "customers", "lookalikes measured", "已检验的相似客户数")
            )
            found.append(Figure("lift", *measured, at.low, at.high, self.level))
        return tuple(found)


def acquisition(seed: int, found: Dial | None, asked: int | None, fallback: int) -> Acquisition:
    """How many lookalikes to take of a segment of `seed` customers.

    asked: as many as the marketer wants. Else the largest size of the dial whose lift is above 1 for sure (the lower end
    of its interval), the smallest where none is, and `fallback` where nothing was measured.
    """
    settings = () if found is None else found.settings
    level = 0.95 if found is None else found.level
    if not settings:
        return Acquisition(seed, asked or fallback, asked is not None, None)
    if asked is not None:
        at = max((s for s in settings if s.size <= asked), key=lambda s: s.size, default=settings[0])
        return Acquisition(seed, asked, True, at, level)
    chosen = max((s for s in settings if s.low > 1), key=lambda s: s.size, default=settings[0])
    return Acquisition(seed, chosen.size, False, chosen, level)
