"""Tastes that a workspace declares in its settings: what share of the spend goes to items whose text is near a phrase.

[[tastes]]
name = "organic"                        # the feature is taste_organic_365d
phrases = ["organic food", "organic fruit"]
label = "organic products"
label_zh = "有机产品"
near = 0.5                              # cosine of an item's text and the nearest phrase, from which it counts
days = 365
synonyms = ["eco shoppers"]
synonyms_zh = ["有机爱好者"]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from segments.errors import DataError, Sentence
from segments.fields import Fields, short

NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
NEAR = 0.5
"""With all-MiniLM-L6-v2 on the demo's 3,903 item texts, 0.5 keeps what a person would name so and little else."""
YEAR = 365
_TEXTS = ("phrases", "synonyms", "synonyms_zh")


@dataclass(frozen=True)
class Taste:
    """A taste. phrases: an item is as near as its nearest one. near: cosine from which an item counts. days: window."""

    name: str
    phrases: tuple[str, ...]
    label_en: str
    label_zh: str
    near: float = NEAR
    days: int = YEAR
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()

    @property
    def feature(self) -> str:
        """The name of its feature."""
        return f"taste_{self.name}_{self.days}d"

    @property
    def column(self) -> str:
        """The column of items that holds how near each is."""
        return f"taste_{self.name}"


def read_tastes(values: Sequence[Any], path: str) -> tuple[Taste, ...]:
    """The tastes of a settings file's `[[tastes]]`. path: of the file. Raises DataError with every mistake."""
    issues: list[Sentence] = []
    found: dict[str, Taste] = {}
    for place, data in enumerate(values):
        where = f"tastes[{place}]"
        if not isinstance(data, dict):
            issues.append(
                Sentence(
                    f"{where}: must be a table with a name and phrases; got {short(data)}.",
                    f"{where}：必须是含有 name 和 phrases 的表，而给的是{short(data)}。",
                )
            )
            continue
        taste = _read(data, where, issues)
        if taste is not None and taste.name in found:
            issues.append(
                Sentence(
                    f"{where}.name: there is a taste '{taste.name}' already.",
                    f"{where}.name：已经有偏好“{taste.name}”。",
                )
            )
        elif taste is not None:
            found[taste.name] = taste
    if issues:
        raise DataError(f"{path}: " + " ".join(issues))
    return tuple(found.values())


def to_json(taste: Taste) -> dict[str, Any]:
    """A taste as the warehouse keeps it."""
    return asdict(taste)


def of_json(known: dict[str, Any]) -> Taste:
    """What `to_json` made."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
    return Taste(**values)


def _read(data: dict[str, Any], where: str, issues: list[Sentence]) -> Taste | None:
    fields = Fields(data, where, issues, {"name", "label", "label_zh", "near", "days", *_TEXTS})
    name = data.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        fields.wrong(
            "name",
            f"must be small letters, digits and _, e.g. organic; got {short(name)}",
            f"只能是小写字母、数字和_，如 organic，而给的是{short(name)}",
        )
    phrases, synonyms, synonyms_zh = (fields.texts(key) for key in _TEXTS)
    if not phrases and "phrases" not in data:
        fields.wrong(
            "phrases",
            "must be a list of texts, e.g. ['organic food']",
            "必须是文字的列表，如 ['organic food']",
        )
    elif data["phrases"] == []:
        fields.wrong("phrases", "must name at least one text", "至少要有一段文字")
    near, days = fields.number("near", NEAR), fields.whole("days", YEAR, "days", 1)
    if isinstance(near, int | float) and not 0 < near <= 1:
        fields.wrong(
            "near", f"must lie above 0 and at most 1; got {near}", f"必须大于0且不超过1，而给的是{near}"
        )
    labels = [data.get(key, "") for key in ("label", "label_zh")]
    if not all(isinstance(label, str) for label in labels):
        fields.wrong("label", f"must be a text; got {short(labels)}", f"必须是文字，而给的是{short(labels)}")
    if not fields.sound:
        return None
    words = labels[0] or f"'{phrases[0]}'"
    return Taste(str(name), phrases, words, labels[1] or words, float(near), days, synonyms, synonyms_zh)
