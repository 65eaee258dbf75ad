"""Attributes proposed for the columns of a customer table: which kind each is, its levels in order, consent by channel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from segments.attributes import KINDS, MADE
from segments.catalogue import standard_catalogue
from warehouse.attributes import MOST_LEVELS
from warehouse.connection import identifier
from warehouse.readable import NO, YES
from warehouse.suggest_columns import Column, toml_text, written

ORDERS = (
    ("bronze", "silver", "gold", "platinum", "diamond"),
    ("basic", "plus", "premium"),
    ("small", "medium", "large"),
    ("low", "medium", "high"),
    ("铜卡", "银卡", "金卡", "白金卡", "钻石卡"),
    ("铜", "银", "金", "白金", "钻石"),
    ("普通", "铜牌", "银牌", "金牌", "钻石"),
    ("低", "中", "高"),
)
"""Values that have an order, wherever they are used."""
CHANNELS = {
    "email": r"e ?mail|newsletter|邮件|邮箱",
    "sms": r"sms|text message|短信",
    "push": r"push|推送",
    "post": r"postal|direct mail|catalog(ue)?|邮寄",
}
_CONSENT = (
    r"opt ?in|opt|consent|subscri\w*|accept\w*|allow\w*|agree\w*|ok|newsletter|permission|订阅|同意|接收"
)
GROUPS = (
    r"gender|sex|age|birth year|year birth|marital status|education|income|ethnicity|religion|nationality|"
    r"性别|年龄|婚姻状况|学历|收入|民族"
)
"""Attributes between whose values fairness is usually watched."""
NAMES_ZH = {
    **{
        "性别": "gender",
        "年龄": "age",
        "国家": "country",
        "城市": "city",
        "省份": "province",
        "语言": "language",
    },
    **{
        "会员等级": "tier",
        "等级": "tier",
        "注册日期": "registered",
        "注册时间": "registered",
        "积分": "points",
    },
    **{"注册渠道": "signup_channel", "职业": "occupation", "学历": "education", "婚姻状况": "marital_status"},
    **{"收入": "income", "年收入": "income", "出生年份": "birth_year", "注册门店": "store"},
}


@dataclass(frozen=True)
class Proposed:
    """What is proposed for one column: lines of TOML of an attribute, or a channel of consent. why: the reason."""

    column: str
    why: str
    lines: tuple[str, ...] = ()
    channel: str = ""
    time_format: str = ""


def propose(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]
) -> tuple[list[Proposed], list[str]]:
    """Proposals for columns of the table `sample`, and a sentence for each that is left out."""
    found: list[Proposed] = []
    left: list[str] = []
    names: set[str] = set()
    computed = {feature.name for feature in standard_catalogue() if not feature.attribute}
    for place, column in enumerate(columns):
        if column.distinct <= 1:
            left.append(
                f"{column.name} has {column.distinct or 'no'} value, which parts no customers: it is left out."
            )
            continue
        if (
            column.unique
            and column.rows > 1
            and re.search(r"(^| )(id|no|number|code|key)$|编号$", column.words)
        ):
            left.append(f"{column.name} tells every row apart: it is left out.")
            continue
        levels = _values(connection, column)
        answers = {value.strip().lower() for value in levels}
        yes_no = column.type == "BOOLEAN" or (bool(answers) and answers <= {*YES, *NO} and len(answers) == 2)
        channel = _channel(column.words)
        if yes_no and channel and channel not in {one.channel for one in found}:
            found.append(Proposed(column.name, "yes or no, and its name speaks of consent", channel=channel))
            continue
        date = _date(column)
        kind, ordered = _kind(column, levels, yes_no=yes_no, date=date is not None)
        if kind is None:
            left.append(
                f"{column.name} has {column.distinct:,} different values, too many for an attribute: it is left out; make "
                "fewer of them with '= SQL' to use it."
            )
            continue
        taken = computed if kind != "date" else computed | {made.removesuffix("_days") for made in computed}
        name = _name(column, place, names, taken)
        names.add(name)
        found.append(_attribute(column, name, kind, ordered, date or ""))
    return found, left


def _values(connection: duckdb.DuckDBPyConnection, column: Column) -> list[str]:
    if column.distinct > MOST_LEVELS:
        return []
    quoted = identifier(column.name)
    rows = connection.execute(
        f"SELECT trim({quoted}::VARCHAR) FROM sample WHERE {quoted} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
    ).fetchall()
    return [value for (value,) in rows if value]


def _channel(words: str) -> str:
    if not re.search(_CONSENT, words):
        return ""
    return next((channel for channel, pattern in CHANNELS.items() if re.search(pattern, words)), "")


def _date(column: Column) -> str | None:
    """How its dates are written: '' where the engine knows; None where it holds none."""
    if column.type.startswith(("DATE", "TIMESTAMP")):
        return ""
    return written(column)


def _kind(
    column: Column, levels: Sequence[str], *, yes_no: bool, date: bool
) -> tuple[str | None, tuple[str, ...]]:
    if yes_no:
        return "yes-no", ()
    if date:
        return "date", ()
    if column.numeric:
        return "number", ()
    ordered = _ordered(levels)
    if ordered:
        return "ordered", ordered
    # A text that hardly repeats itself tells customers apart, not kinds of them.
    few = bool(levels) and (column.rows < 20 or column.distinct <= 0.5 * column.filled * column.rows)
    return ("text" if few else None), ()


_BAND = re.compile(r"(?:under |<\s*)?(\d+)\D?(?:\s*(?:-|–|to|至|~)\s*\d+\D?|\s*\+|\s*以上)?", re.IGNORECASE)


def _ordered(levels: Sequence[str]) -> tuple[str, ...]:
    """The levels in their order, where it is known: words of one scale, or bands of numbers."""
    said = {level.lower(): level for level in levels}
    for order in ORDERS:
        if len(said) >= 2 and set(said) <= set(order):
            return tuple(said[word] for word in order if word in said)
    starts = [_BAND.fullmatch(level) for level in levels]
    if len(levels) >= 2 and all(starts) and not all(level.isdecimal() for level in levels):
        first = {
            level: (float(match[1]), 0 if re.match(r"under|<", level) else 1)
            for level, match in zip(levels, starts, strict=True)
            if match
        }
        return tuple(sorted(levels, key=lambda level: (first[level][0] - (1 - first[level][1]), level)))
    return ()


def _name(column: Column, place: int, taken: set[str], computed: set[str]) -> str:
    name = NAMES_ZH.get(column.name) or "_".join(re.findall(r"[a-z]+|\d+", column.words))
    name = name[:28].strip("_")
    if not re.match(r"[a-z]", name) or len(name) < 2:
        name = f"attribute_{place + 1}"
    if name in computed or MADE.fullmatch(name):
        name = f"own_{name}"[:28]
        if MADE.fullmatch(name):
            name = f"attribute_{place + 1}"
    while name in taken or f"{name}_days" in taken:
        name += "_2"
    return name


def _attribute(column: Column, name: str, kind: str, ordered: Sequence[str], time_format: str) -> Proposed:
    assert kind in KINDS
    lines = ["[[customers.attributes]]", f"name = {toml_text(name)}"]
    if column.name != name:
        lines.append(f"column = {toml_text(column.name)}")
    lines.append(f"kind = {toml_text(kind)}")
    if ordered:
        lines.append(f"levels = [{', '.join(map(toml_text, ordered))}]")
    if re.search(r"[\u4e00-\u9fff]", column.name):
        lines.append(f"label_zh = {toml_text(column.name)}")
    if kind in ("text", "ordered", "yes-no") and re.fullmatch(GROUPS, column.words):
        lines.append("group = true")
    why = {
        "yes-no": "its values are yes and no",
        "date": "it holds dates; the feature is the days since",
        "number": "it holds numbers",
        "ordered": f"its values have an order: {', '.join(ordered)}",
        "text": f"it has {column.distinct} different values",
    }[kind]
    return Proposed(
        column.name, f"{why}; such as {', '.join(column.examples[:3])}", tuple(lines), time_format=time_format
    )
