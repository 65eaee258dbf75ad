"""Reviews of a workspace: scored at each build, read by the language model where that is asked for, and told of.

The build's scorer is the word list, or a model trained on the retailer's rated reviews where that is better beyond chance
(`insights.sentiment`). What the language model has read is kept beside it, and stays until the warehouse is read anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assistant.llm import ChatModel, writer
from assistant.review_reader import read_review
from assistant.workspace import Workspace
from insights.opinions import WHOLE, Opinions, opinions, summarize
from insights.sentiment import COMPLAINS, PRAISES, WordList, choose_scorer, macro_f1
from segments.errors import ModelRetryError, NotBuiltError, NotFoundError, UserError
from segments.ports import Figure, Progress, silent
from warehouse.review_scores import write_scores
from warehouse.store import Warehouse

READ = "model"
"""The scorer of what the language model has read."""
_TABLE, _SCORES = "reviews", "review_scores"


def score_reviews(workspace: Workspace, progress: Progress = silent) -> None:
    """Score every review, where there are any; what the language model has read stays."""
    warehouse = Warehouse(workspace.warehouse)
    try:
        if not _has(warehouse, _TABLE):
            progress(1.0, "there are no reviews")
            return
        reviews, read = _reviews(warehouse), _read(warehouse)
    finally:
        warehouse.close()
    progress(0.0, "choosing between the word list and a model of your rated reviews")
    texts, ratings = reviews["text"].fillna(""), reviews["rating"].to_numpy("float64")
    scorer = choose_scorer(texts.tolist(), ratings, workspace.settings.review_scorer)
    told = opinions(reviews, scorer.classifier, lambda share, what: progress(0.3 + 0.6 * share, what))
    about = {
        "scorer": scorer.name,
        "reviews": len(reviews),
        "rated": int(reviews["rating"].notna().sum()),
        "held_out": scorer.held_out,
        "f1": scorer.f1,
        "low": scorer.low,
        "high": scorer.high,
        "words_f1": scorer.words_f1,
    }
    scores = pd.concat([told.assign(scorer=scorer.name), read], ignore_index=True)
    write_scores(workspace.folder, scores, about, lambda share, what: progress(0.9 + 0.1 * share, what))


def check_scored(warehouse: Warehouse) -> None:
    """Raise NotBuiltError where there are reviews that were never scored."""
    if _has(warehouse, _TABLE) and not ("reviews" in warehouse.meta and _has(warehouse, _SCORES)):
        raise NotBuiltError("The reviews are not scored yet; run: segassist build")


@dataclass(frozen=True)
class Reading:
    """What the language model has read. left: reviews that it gave no label twice. rated: of those read ever, how many have
    stars that praise or complain; model_f1, words_f1: macro-F1 of the model's labels and of the word list against them."""

    read: int
    left: int
    rated: int
    model_f1: float | None
    words_f1: float | None


def read_reviews(workspace: Workspace, model: ChatModel, most: int, progress: Progress = silent) -> Reading:
    """Let the language model label up to `most` reviews that it has not read, newest first.

    What was read is kept also when it is stopped or the model's server ends. Raises NotFoundError without reviews,
    LLMUnavailableError.
    """
    warehouse = Warehouse(workspace.warehouse)
    try:
        if not _has(warehouse, _SCORES):
            raise NotFoundError(
                "This workspace has no scored reviews; map them with [[reviews]] and ingest.",
                "这个工作区没有评论；请在映射中用 [[reviews]] 加入评论并导入。",
            )
        reviews, before, about = _reviews(warehouse), _read(warehouse), dict(warehouse.meta["reviews"])
        table = warehouse.table(_SCORES)
        built = warehouse.fetch(table.filter(table.scorer != READ).select(*_KEPT))
    finally:
        warehouse.close()
    words = reviews[reviews["text"].notna() & ~reviews["review"].isin(set(before["review"]))]
    asked = words.sort_values("ts", ascending=False, kind="stable").head(most)
    found, left = [], 0
    try:
        for place, (key, text) in enumerate(zip(asked["review"], asked["text"], strict=True)):
            progress(place / len(asked), f"review {place + 1} of {len(asked)}")
            try:
                labels = read_review(writer(model), text)
            except ModelRetryError:
                left += 1
                continue
            found += [(key, aspect, praise, READ) for aspect, praise in labels.items()]
    finally:
        read = pd.concat([before, pd.DataFrame(found, columns=list(_KEPT))], ignore_index=True)
        if found:
            write_scores(workspace.folder, pd.concat([built, read], ignore_index=True), about)
    progress(1.0, "read")
    return Reading(len(asked) - left, left, *_against_stars(reviews, read))


def _against_stars(reviews: pd.DataFrame, read: pd.DataFrame) -> tuple[int, float | None, float | None]:
    labels = read[read["aspect"] == WHOLE].merge(reviews, on="review")
    stars = labels["rating"]
    labels = labels[(stars >= PRAISES) | (stars <= COMPLAINS)]
    truth = (labels["rating"] >= PRAISES).astype(int).to_numpy()
    if not 0 < truth.sum() < len(truth):
        return len(truth), None, None
    guesses = (labels["praise"].to_numpy(), WordList().positive(labels["text"].tolist()))
    by_model, by_words = (macro_f1(truth, guess >= 0.5) for guess in guesses)
    return len(truth), by_model, by_words


class Reviews:
    """What the reviews of one open workspace say; only scores are read, never a text."""

    def __init__(self, warehouse: Warehouse, items: pd.DataFrame) -> None:
        """items: item_id, department, category, brand, name."""
        self._warehouse, self._items = warehouse, items

    def told(
        self, goods: Sequence[str], members: Collection[str] | None, smallest: int
    ) -> tuple[Opinions, Opinions | None]:
        """What is said of goods (of everything where none is named), by members only where given; and what the language
        model made of those that it has read, where they are enough.

        goods: values of categories, departments or brands, or words of a product's name. smallest: customers that a
        group must have to be told of. Raises NotFoundError where there are no reviews or no such goods, UserError where
        too few speak.
        """
        if not _has(self._warehouse, _SCORES):
            raise NotFoundError(
                "This workspace has no reviews; map them with [[reviews]] (docs/own-data.md) and ingest again.",
                "这个工作区没有评论；请在映射中用 [[reviews]] 加入评论（docs/own-data.md）后重新导入。",
            )
        table = self._warehouse.table(_SCORES)
        if goods:
            table = table.filter(table.item_id.isin(self._item_ids(goods)))
        found = self._warehouse.fetch(table)
        if members is not None:
            found = found[found["customer_id"].isin(set(members))]
        built, read = found[found["scorer"] != READ], found[found["scorer"] == READ]
        told = summarize(built, smallest)
        try:
            return told, summarize(read, smallest)
        except UserError:
            return told, None  # nobody asked it to read, or not of enough of these

    @property
    def about(self) -> dict[str, Any]:
        """How the scores were made (`score_reviews`)."""
        return dict(self._warehouse.meta["reviews"])

    def name_of(self, item_id: str) -> str:
        """What an item is called; its id where it has no name."""
        names = self._items.loc[self._items["item_id"] == item_id, "name"].dropna()
        return str(names.iloc[0]) if len(names) else item_id

    def _item_ids(self, goods: Sequence[str]) -> list[str]:
        """Items that are of any of the values of one field, of all fields that are named."""
        fits = np.ones(len(self._items), dtype=bool)
        by_field: dict[str, list[str]] = {}
        for said in goods:
            fields = [f for f in ("category", "department", "brand") if (self._items[f] == said).any()]
            by_field.setdefault(fields[0] if fields else "name", []).append(said)
        for field, values in by_field.items():
            if field == "name":
                named = [_named(self._items["name"], said) for said in values]
                fits &= np.logical_or.reduce(named)
            else:
                fits &= self._items[field].isin(values).to_numpy()
        if not fits.any():
            raise NotFoundError(
                f"items: nothing here is called {', '.join(goods)}; name a category, a brand or a product.",
                f"items：这里没有名为{'、'.join(goods)}的商品；请给出品类、品牌或商品。",
            )
        return [str(item) for item in self._items.loc[fits, "item_id"]]


def scorer_figures(about: dict[str, Any]) -> tuple[Figure, ...]:
    """Which scorer it was, and how it did on rated reviews that it has not seen, where that could be tried."""
    figures = [Figure("scorer", str(about["scorer"]), "text", "scorer", "评分方法")]
    if about["f1"] is not None:
        figures += [
            Figure("held_out", about["held_out"], "count", "rated reviews held out", "留出的有评分评论数"),
            Figure(
                "f1",
                about["f1"],
                "ratio",
                "macro-F1 on them",
                "在其上的宏平均F1",
                about["low"],
                about["high"],
                0.95,
            ),
            Figure("words_f1", about["words_f1"], "ratio", "the word list's", "词表的宏平均F1"),
        ]
    return tuple(figures)


_KEPT = ("review", "aspect", "praise", "scorer")


def _named(names: pd.Series, said: str) -> np.ndarray:
    """Whose name holds these words, whole and in this order; Chinese, which has no spaces, anywhere."""
    words = re.escape(said)
    pattern = words if not said.isascii() else rf"\b{words}\b"
    return names.fillna("").str.contains(pattern, case=False, regex=True).to_numpy()


def _has(warehouse: Warehouse, table: str) -> bool:
    return table in warehouse.connection.list_tables()


def _reviews(warehouse: Warehouse) -> pd.DataFrame:
    return warehouse.fetch(warehouse.table(_TABLE).select("review", "ts", "rating", "text"))


def _read(warehouse: Warehouse) -> pd.DataFrame:
    """What the language model has read of the reviews that there are."""
    if not _has(warehouse, _SCORES):
        return pd.DataFrame(columns=list(_KEPT))
    table = warehouse.table(_SCORES)
    return warehouse.fetch(table.filter(table.scorer == READ).select(*_KEPT))
