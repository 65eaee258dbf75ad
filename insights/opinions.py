"""What reviews say, and of what: a row a review and aspect, and what many of them say together.

An aspect is spoken of where a clause holds one of its words (`insights.lexicon`); what one review says of an aspect in
several clauses counts once. A review as a whole is what its stars say, where it has some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from insights.lexicon import ASPECTS, ASPECTS_ZH
from insights.sentiment import CLAUSE, COMPLAINS, PRAISES, WORD, Classifier, tongue_of
from segments.errors import UserError
from segments.ports import Figure, Progress, silent

WHOLE = ""
"""The aspect of what a review says as a whole."""
NEITHER = 0.5
"""Neither praise nor complaint."""
MIN_OPINIONS = 10
LEVEL = 0.95
BATCH = 5_000
SHOWN_ITEMS = 3
_WORDS = {
    tongue: {aspect: frozenset(words[tongue]) for aspect, words in ASPECTS.items()} for tongue in ("en", "zh")
}


def opinions(reviews: pd.DataFrame, classifier: Classifier, progress: Progress = silent) -> pd.DataFrame:
    """What each review says: columns review, aspect (WHOLE for all of it) and praise (0 to 1, 0.5 for neither).

    reviews: review (its key), text and rating (1 to 5), either of which may be missing.
    """
    keys, texts = reviews["review"].tolist(), reviews["text"].fillna("").tolist()
    rating = reviews["rating"].to_numpy("float64")
    stars = np.select([rating >= PRAISES, rating <= COMPLAINS], [1.0, 0.0], NEITHER)
    unrated = [place for place, stated in enumerate(rating) if np.isnan(stated)]
    said = _praise(classifier, [texts[place] for place in unrated], lambda s, w: progress(0.3 * s, w))
    stars[unrated] = said
    whole = pd.DataFrame({"review": keys, "aspect": WHOLE, "praise": stars})
    about = [
        (key, aspect, clause)
        for key, text in zip(keys, texts, strict=True)
        for clause in CLAUSE.split(text)
        for aspect in aspects_of(clause)
    ]
    told = pd.DataFrame(about, columns=["review", "aspect", "clause"])
    clauses = told["clause"].tolist()
    told["praise"] = _praise(classifier, clauses, lambda s, w: progress(0.3 + 0.7 * s, w))
    # A clause that says neither takes nothing from what the others say.
    told["praise"] = told["praise"].where(told["praise"] != NEITHER)
    each = told.groupby(["review", "aspect"], sort=False)["praise"].mean().fillna(NEITHER).reset_index()
    return pd.concat([whole, each], ignore_index=True)


def aspects_of(clause: str) -> list[str]:
    """The aspects that a clause speaks of."""
    if tongue_of(clause) == "zh":
        return [aspect for aspect, words in _WORDS["zh"].items() if any(word in clause for word in words)]
    spoken = set(WORD.findall(clause.lower()))
    return (
        [aspect for aspect, words in _WORDS["en"].items() if not spoken.isdisjoint(words)] if spoken else []
    )


def _praise(classifier: Classifier, texts: Sequence[str], progress: Progress) -> np.ndarray:
    found = [np.empty(0)]
    for start in range(0, len(texts), BATCH):
        progress(start / len(texts), f"{start:,} of {len(texts):,} read")
        found.append(classifier.positive(texts[start : start + BATCH]))
    return np.concatenate(found)


@dataclass(frozen=True)
class AspectOpinion:
    """Of the reviews that speak of an aspect, and say something of it, how many praise it (Wilson interval)."""

    aspect: str
    aspect_zh: str
    mentions: int
    praise: float
    low: float
    high: float


@dataclass(frozen=True)
class ItemOpinion:
    """An item that is praised surely less often than the others."""

    item_id: str
    reviews: int
    praise: float
    low: float
    high: float


@dataclass(frozen=True)
class Opinions:
    """What reviews say together: share of praise among those that say either, and by aspect, most mentioned first.

    held_back: aspects that too few speak of to be shown. items: those that fall behind, lowest first.
    """

    reviews: int
    praise: float
    low: float
    high: float
    aspects: tuple[AspectOpinion, ...]
    held_back: int
    items: tuple[ItemOpinion, ...]

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted, but for those of items."""
        found = [
            Figure("reviews", self.reviews, "count", "reviews", "评论数"),
            Figure("praise", self.praise, "share", "of them praise", "好评占比", self.low, self.high, LEVEL),
        ]
        for a in self.aspects:
            names = (f"praise among mentions of {a.aspect}", f"提到{a.aspect_zh}时的好评占比")
            found += [
                Figure(
                    f"{a.aspect}.mentions",
                    a.mentions,
                    "count",
                    f"mentions of {a.aspect}",
                    f"提到{a.aspect_zh}的评论数",
                ),
                Figure(f"{a.aspect}.praise", a.praise, "share", *names, a.low, a.high, LEVEL),
            ]
        if self.held_back:
            found.append(
                Figure(
                    "held_back",
                    self.held_back,
                    "count",
                    "aspects that too few speak of to be shown",
                    "提到的人太少而不显示的方面数",
                )
            )
        return tuple(found)

    def rows(self) -> list[dict[str, Any]]:
        """One dict an aspect."""
        return [asdict(aspect) for aspect in self.aspects]


def summarize(told: pd.DataFrame, smallest: int) -> Opinions:
    """What reviews say together. told: customer_id, review, item_id, aspect, praise.

    smallest: customers that any group must have to be told of. Raises UserError where all of them are fewer, or say
    nothing.
    """
    whole = told[told["aspect"] == WHOLE]
    said = whole[whole["praise"] != NEITHER]
    if not _enough(said, smallest):
        raise UserError(
            f"reviews: too few customers have said what they think of it; it takes {smallest} of them, and "
            f"{MIN_OPINIONS} reviews.",
            f"reviews：发表看法的客户太少；至少需要{smallest}位客户和{MIN_OPINIONS}条评论。",
        )
    aspects, held_back = [], 0
    for aspect, rows in told[told["aspect"] != WHOLE].groupby("aspect"):
        opinion = rows[rows["praise"] != NEITHER]
        if _enough(opinion, smallest):
            name = str(aspect)
            aspects.append(AspectOpinion(name, ASPECTS_ZH[name], len(rows), *_share(opinion)))
        else:
            held_back += 1
    aspects.sort(key=lambda found: (-found.mentions, found.aspect))
    everything = _share(said)
    behind = [
        ItemOpinion(str(item), len(rows), *share)
        for item, rows in said.groupby("item_id")
        if len(rows) < len(said) and _enough(rows, smallest) and (share := _share(rows))[2] < everything[1]
    ]
    behind.sort(key=lambda found: (found.praise, found.item_id))
    return Opinions(len(whole), *everything, tuple(aspects), held_back, tuple(behind[:SHOWN_ITEMS]))


def _enough(rows: pd.DataFrame, smallest: int) -> bool:
    return len(rows) >= MIN_OPINIONS and rows["customer_id"].nunique() >= smallest


def _share(rows: pd.DataFrame) -> tuple[float, float, float]:
    test = binomtest(int((rows["praise"] > NEITHER).sum()), len(rows))
    interval = test.proportion_ci(LEVEL, method="wilson")
    return float(test.statistic), float(interval.low), float(interval.high)
