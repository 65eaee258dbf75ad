"""Attributes of customers that a mapping declares: columns of the retailer's own customer table, each a feature.

[[customers.attributes]]
name = "loyalty_tier"                   # what definitions call it
column = "Tier"                         # default: the name; or '= SQL' over the columns
kind = "ordered"                        # text, ordered, number, yes-no or date
levels = ["bronze", "silver", "gold"]   # in order, of 'ordered'; of a text those there may be, default: those found
levels_zh = ["铜卡", "银卡", "金卡"]
label = "loyalty tier"
label_zh = "会员等级"
synonyms = ["card"]
synonyms_zh = ["等级"]
unit = ""                               # of a number: 'currency', 'years', ...
group = true                            # fairness is watched between its values

A date becomes the days since it: `joined` is the feature `joined_days`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from segments.errors import Sentence
from segments.features import Attribute, Feature, FeatureType
from segments.fields import Fields, short

Kind = Literal["text", "ordered", "number", "yes-no", "date"]
KINDS: Mapping[str, FeatureType] = {
    "text": FeatureType.CATEGORY,
    "ordered": FeatureType.BAND,
    "number": FeatureType.NUMBER,
    "yes-no": FeatureType.BOOLEAN,
    "date": FeatureType.NUMBER,
}
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
MADE = re.compile(r"customer_id|source_id|differs|(reach|spend|share|taste|fault)_.*|.*_\d+d")
"""Names that the warehouse gives by itself: a feature's, a department's, a channel's."""
_TEXTS = ("levels", "levels_zh", "synonyms", "synonyms_zh")


@dataclass(frozen=True)
class CustomerAttribute:
    """An attribute. levels: ordered, or the known ones. open: they are those that the data have, more may come.

    unit: of a number. group: whether fairness is watched between its values.
    """

    name: str
    kind: Kind
    label_en: str
    label_zh: str
    levels: tuple[str, ...] = ()
    levels_zh: tuple[str, ...] = ()
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    unit: str = ""
    group: bool = False
    open: bool = False

    @property
    def feature(self) -> Feature:
        """Its entry of the catalogue."""
        en, zh, name = self.label_en, self.label_zh, self.name
        if self.kind == "date":
            en, zh, name = f"days since {en}", f"距{zh}的天数", f"{name}_days"
        return Feature(
            name,
            KINDS[self.kind],
            "days" if self.kind == "date" else self.unit,
            en,
            zh,
            Attribute(self.name, since=self.kind == "date"),
            tuple(dict.fromkeys((en, self.label_en, self.name.replace("_", " "), *self.synonyms_en))),
            tuple(dict.fromkeys((zh, self.label_zh, *self.synonyms_zh))),
            self.levels,
            self.levels_zh,
            group=self.group,
        )


def read_attributes(
    values: Any, where: str, issues: list[Sentence], taken: Sequence[str]
) -> dict[CustomerAttribute, str]:
    """The attributes that a table of customers declares, each with its column or '= SQL'.

    taken: names of features that are computed, which none may have.
    """
    if not isinstance(values, list):
        issues.append(
            Sentence(
                f"{where}: must be tables, each under [[{where}]]; got {short(values)}.",
                f"{where}：必须是 [[{where}]] 下的表，而给的是{short(values)}。",
            )
        )
        return {}
    found: dict[CustomerAttribute, str] = {}
    for place, data in enumerate(values):
        path = f"{where}[{place}]"
        if not isinstance(data, dict):
            issues.append(
                Sentence(
                    f"{path}: must be a table with a name and a kind; got {short(data)}.",
                    f"{path}：必须是含有 name 和 kind 的表，而给的是{short(data)}。",
                )
            )
            continue
        attribute = _read(data, path, issues, taken)
        if attribute is not None and _alike(attribute, found):
            issues.append(
                Sentence(
                    f"{path}.name: '{attribute.name}' is declared twice.",
                    f"{path}.name：“{attribute.name}”重复声明。",
                )
            )
        elif attribute is not None:
            found[attribute] = str(data.get("column", attribute.name))
    return found


def _alike(attribute: CustomerAttribute, others: Iterable[CustomerAttribute]) -> bool:
    """Whether another has its column or its feature."""
    names = {attribute.name, attribute.feature.name}
    return any(names & {other.name, other.feature.name} for other in others)


def to_json(attribute: CustomerAttribute) -> dict[str, Any]:
    """An attribute as the warehouse keeps it."""
    return asdict(attribute)


def of_json(known: Mapping[str, Any]) -> CustomerAttribute:
    """What `to_json` made."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
    return CustomerAttribute(**values)


def _read(
    data: dict[str, Any], where: str, issues: list[Sentence], taken: Sequence[str]
) -> CustomerAttribute | None:
    known = {"name", "column", "kind", "label", "label_zh", "unit", "group", *_TEXTS}
    fields = Fields(data, where, issues, known)
    name = data.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        fields.wrong(
            "name",
            f"must be small letters, digits and _, e.g. loyalty_tier; got {short(name)}",
            f"只能是小写字母、数字和_，如 loyalty_tier，而给的是{short(name)}",
        )
    elif name in taken or (data.get("kind") == "date" and f"{name}_days" in taken) or MADE.fullmatch(name):
        fields.wrong(
            "name", f"'{name}' is computed here; choose another name", f"“{name}”由系统计算；请换一个名称"
        )
    kind = fields.choice("kind", tuple(KINDS))
    levels, levels_zh, synonyms, synonyms_zh = (fields.texts(key) for key in _TEXTS)
    words = {key: data.get(key, "") for key in ("column", "label", "label_zh", "unit")}
    for key, said in words.items():
        if not isinstance(said, str):
            fields.wrong(key, f"must be a text; got {short(said)}", f"必须是文字，而给的是{short(said)}")
    group = fields.flag("group")
    if group and kind in ("number", "date"):
        fields.wrong(
            "group",
            "is of values that part customers: text, ordered or yes-no",
            "只用于 text、ordered 或 yes-no",
        )
    if not fields.sound:
        return None
    _check_levels(fields, kind, levels, levels_zh)
    if words["unit"] and kind != "number":
        fields.wrong("unit", "is of a number only", "只用于 number")
    if not fields.sound:
        return None
    label = words["label"] or str(name).replace("_", " ")
    return CustomerAttribute(
        str(name),
        kind,
        label,
        words["label_zh"] or label,
        levels,
        levels_zh,
        synonyms,
        synonyms_zh,
        words["unit"],
        group,
        open=kind == "text" and not levels,
    )


def _check_levels(fields: Fields, kind: Kind, levels: Sequence[str], levels_zh: Sequence[str]) -> None:
    if levels and kind not in ("text", "ordered"):
        fields.wrong(
            "levels", f"are of a text or an ordered attribute; this is '{kind}'", f"“{kind}”没有 levels"
        )
    if kind == "ordered" and len(levels) < 2:
        fields.wrong(
            "levels",
            "must name the values in order, e.g. ['bronze', 'silver', 'gold']",
            "必须按顺序列出取值，如 ['bronze', 'silver', 'gold']",
        )
    for key, said in (("levels", levels), ("levels_zh", levels_zh)):
        if len({level.strip().lower() for level in said}) < len(said):
            fields.wrong(key, "holds a value twice, capitals apart", "有重复的取值（不区分大小写）")
    if levels_zh and len(levels_zh) != len(levels):
        fields.wrong(
            "levels_zh",
            f"must be as many as the levels: {len(levels)}; got {len(levels_zh)}",
            f"必须与 levels 一样多：{len(levels)}个，而给的是{len(levels_zh)}个",
        )
