"""What a randomised test tells a plan: what contact causes in each customer, and which test it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import pandas as pd

from segments.ports import Figure


@dataclass(frozen=True)
class UpliftStudy:
    """The test. reached, left_out: customers of its two arms."""

    kind: Literal["experiment", "campaign"]
    name: str
    start: date
    reached: int
    left_out: int

    @property
    def words(self) -> tuple[str, str]:
        """Its name in English and Chinese."""
        kind_zh = {"experiment": "实验", "campaign": "随机活动"}[self.kind]
        kind = {"experiment": "experiment", "campaign": "the randomised campaign"}[self.kind]
        return (
            f"{kind} '{self.name}' of {self.start} ({self.reached:,} contacted, {self.left_out:,} not)",
            f"{self.start}的{kind_zh}“{self.name}”（触达{self.reached:,}名，未触达{self.left_out:,}名）",
        )

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        return (
            Figure("name", self.name, "text", "test that tells who responds", "说明谁会响应的试验"),
            Figure("start", self.start.isoformat(), "date", "test began on", "试验开始日期"),
            Figure("reached", self.reached, "customers", "contacted in the test", "试验触达客户数"),
            Figure("left_out", self.left_out, "customers", "not contacted in the test", "试验未触达客户数"),
        )


@dataclass(frozen=True)
class Uplift:
    """effects: change of the response probability by contact, by customer_id."""

    study: UpliftStudy
    effects: pd.Series
