"""Columns of a file that a mapping is proposed for: what they hold, and which fields their names and values speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse.connection import identifier
from warehouse.file_reader import reader, unreadable
from warehouse.personal import column_words, personal_kind
from warehouse.suggest_money import written_amounts

SAMPLE = 20_000
UNIQUE = 0.98
"""Share of rows with a value of their own, from which a column numbers the rows."""


@dataclass(frozen=True)
class Column:
    """A column as the engine reads it: its type, the share of rows with a value, how many differ, examples."""

    name: str
    type: str
    filled: float
    distinct: int
    examples: tuple[str, ...]

    rows: int = 0

    @property
    def unique(self) -> bool:
        """Whether hardly two rows have one value."""
        return self.filled > 0 and self.distinct >= UNIQUE * self.filled * self.rows

    @property
    def nested(self) -> bool:
        """Whether a value has parts, as objects and lists of JSON do: those are told by expressions only."""
        return self.type.startswith(("STRUCT", "MAP", "UNION")) or self.type.endswith("]")

    @property
    def words(self) -> str:
        """The name in lower case words."""
        return column_words(self.name)

    @property
    def personal(self) -> str | None:
        """What kind of personal data it holds, if any."""
        return personal_kind(self.name, self.examples)

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.type.startswith(
            ("INT", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "DECIMAL")
        )


@dataclass(frozen=True)
class Guess:
    """One line of the proposal: a field from a column, and why."""

    field: str
    column: str
    reason: str


# Names that exports of shop systems use, most telling first.
EVENT_NAMES: dict[str, str] = {
    "customer": r"(customer|client|user|member|visitor|household|buyer|shopper|contact)( ?(id|no|number|key))?|"
    r"(cust|uid|userid|visitorid)( id)?|客户(编号)?|会员(号)?|用户(id)?",
    "time": r"(event|order|invoice|purchase|transaction|created|review)? ?(time|date|timestamp|datetime|at|ts)( at)?|"
    r"created at|purchased|time ?stamp|时间|日期|下单时间",
    "order": r"(order|invoice|basket|transaction|receipt|bill)( ?(id|no|number|key))?|transactionid|订单(号|编号)?",
    "item": r"(item|product|stock|sku|article|variant|asin|material)( ?(id|no|number|code|key))?|itemid|商品(编号|id)?",
    "session": r"(user |visit )?session( id)?|visit( id)?",
    "quantity": r"(quantity|qty|units|pieces|amount of items|count)|数量|件数",
    "price": r"(unit )?price|item price|单价|价格",
    "value": r"(sales |order |line |total )?(value|amount|revenue|total|sales|spend)|amt|金额|消费金额",
    "discount": r".*discount.*|rebate|折扣|优惠",
    "campaign": r"(campaign|utm campaign)( ?(id|no|code|key|name))?|活动(编号|id)?",
    "currency": r"currency( ?(code|iso))?|币种|货币(代码)?",
    "channel": r"(channel|store|shop|country|source|platform|device)( id| name)?|渠道|门店",
    "event": r"(event|action|behaviou?r|activity)( (type|name))?|type|行为(类型)?",
    "name": r"(item|product|stock)? ?(description|title|name)|商品名(称)?",
    "category": r"(item |product |main )?categor(y|ies)( ?(id|code|name))?|class|品类|类目",
    "department": r"(department|section|division|category group)( id| name)?|部门",
    "brand": r"brand( name)?|manufacturer|品牌",
}
TYPES = {
    "view": r"(page ?)?views?|pv|viewed|product ?view|browse|浏览|点击",
    "add_to_cart": r"(add ?to ?)?(cart|basket)|addtocart|add|加购",
    "purchase": r"purchas(e|ed)|buy|bought|transaction|order(ed)?|sale|购买|下单",
    "return": r"returns?|refund(ed)?|退货",
    "search": r"search(ed)?|搜索",
    "review": r"reviews?|rating|评价",
    "ad_click": r"ad ?click|click",
}
ITEM_FIELDS = ("name", "category", "department", "brand")
ITEM_NAMES = {field: EVENT_NAMES[field] for field in ("item", "name", "category", "department", "brand")}
CUSTOMER_NAMES = {"customer": EVENT_NAMES["customer"]}
CAMPAIGN_NAMES = {
    "campaign": r"(campaign|promo(tion)?|mailing)( ?(id|no|code|key))?|活动(编号|id)?",
    "start": r"(start|begin|launch|sent|from)( ?(date|day|time|at|on))?|(date|time) (start|from|sent)|开始(日期|时间)?",
    "end": r"(end|stop|finish|until|to)( ?(date|day|time|at|on))?|(date|time) (end|to|until)|结束(日期|时间)?",
    "type": r"(campaign )?(type|kind|channel|medium)|(活动)?类型|渠道",
}
FORMATS = (
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y%m%d",
)
"""Ways of writing a time that need to be named; the American order is tried before the European."""


def columns_of(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Column]:
    try:
        connection.execute(f"CREATE OR REPLACE TABLE sample AS SELECT * FROM {reader([path])} LIMIT {SAMPLE}")
    except duckdb.Error as error:
        raise DataError(f"--suggest: {unreadable(path, error)}") from error
    found = []
    for name, kind, *_ in connection.execute("DESCRIBE sample").fetchall():
        quoted = identifier(name)
        row = connection.execute(
            f"SELECT count({quoted}) / greatest(count(*), 1), count(DISTINCT {quoted}), "
            f"count(*), (list(DISTINCT {quoted}::VARCHAR) FILTER ({quoted} IS NOT NULL))[:5] FROM sample"
        ).fetchone()
        filled, distinct, rows, examples = row or (0.0, 0, 0, [])
        if not rows:
            raise DataError(f"--suggest: {path.name} has no rows; give a file with some.")
        found.append(Column(name, kind, filled, distinct, tuple(examples or ()), rows))
    return found


def guessed(columns: Sequence[Column], names: Mapping[str, str]) -> list[Guess]:
    """The best column of each field: a name that fits wholly before one that holds it, and fitting values.

    names: field -> pattern of the names that shops use for it, most telling field first.
    """
    guesses, taken = [], set()
    for field, pattern in names.items():
        ranked = []
        for place, column in enumerate(columns):
            if column.name in taken or not looks_like(field, column):
                continue
            # Of two columns with a category, the one that people can read; of two customers, the one without a name.
            spoken = (field in ITEM_FIELDS and column.numeric) or column.personal is not None
            if re.fullmatch(pattern, column.words):
                ranked.append((0, spoken, place, column))
            elif re.search(rf"(^| )({pattern})( |$)", column.words):
                ranked.append((1, spoken, place, column))
        if ranked:
            how, _, _, column = min(ranked, key=lambda found: found[:3])
            taken.add(column.name)
            said = "its name says so" if how == 0 else "its name holds the word"
            shown = ", ".join(column.examples[:3])
            guesses.append(Guess(field, column.name, f"{said}; {column.type.lower()} such as {shown}"))
    return guesses


def nested_notes(columns: Sequence[Column]) -> list[str]:
    """How a mapping reads the parts of each column that has some."""
    return [
        f"{column.name} has parts ({column.type}): no column is guessed from it; a mapping reads one as "
        f"'= {identifier(column.name)}.\"PART\"'."
        for column in columns
        if column.nested
    ]


def looks_like(field: str, column: Column) -> bool:
    # Only a customer becomes a pseudonym; everything else is kept as it is.
    if not column.distinct or column.nested or (field != "customer" and column.personal is not None):
        return False
    match field:
        case "time":
            return (
                column.type.startswith(("TIMESTAMP", "DATE"))
                or unix(column) is not None
                or (
                    column.type == "VARCHAR"
                    and any(re.search(r"\d{4}-\d\d-\d\d|\d+/\d+/\d+", e) for e in column.examples)
                )
            )
        case "customer" | "item" | "order" | "session" | "campaign":
            return not column.type.startswith(("DATE", "TIMESTAMP", "BOOLEAN"))
        case "quantity":
            return column.numeric
        case "price" | "value" | "discount":
            return column.numeric or written_amounts(column.examples)
        case "currency":
            return column.type == "VARCHAR" and all(
                re.fullmatch(r"[A-Za-z]{3}", e.strip()) for e in column.examples
            )
        case "start" | "end":
            return looks_like("time", column)
        case "event":
            return (
                column.type == "VARCHAR" and column.distinct <= 30 and any(map(event_type, column.examples))
            )
        case "name" | "brand":
            return column.type == "VARCHAR"
        case _:
            return True


def unix(column: Column) -> str | None:
    """'unix' for seconds since 1970 (2001 to 2033), 'milliseconds' for thousandths of them."""
    if not column.numeric or not column.examples:
        return None
    value = float(column.examples[0])
    if 1e9 <= value < 2e9:
        return "unix"
    return "milliseconds" if 1e12 <= value < 2e12 else None


def time_said(column: Column) -> tuple[str, str]:
    """What a mapping says of a time: the column, or an expression over it; and its time_format, empty where the engine
    knows by itself how it is written."""
    counted = unix(column)
    if counted is None:
        return column.name, written(column) or ""
    return column.name if counted == "unix" else f"= {identifier(column.name)} / 1000", "unix"


def written(column: Column) -> str | None:
    """How a column of text writes its times, of the ways that need to be named."""
    if column.type != "VARCHAR" or not column.examples:
        return None
    return next((said for said in FORMATS if all(_fits(value, said) for value in column.examples)), None)


def _fits(value: str, said: str) -> bool:
    try:
        datetime.strptime(value, said)
    except ValueError:
        return False
    return True


def event_type(value: str) -> str | None:
    words = re.sub(r"[_-]", " ", value.lower())
    return next((kind for kind, pattern in TYPES.items() if re.fullmatch(pattern, words)), None)


def toml_text(text: str) -> str:
    """A text as TOML writes it."""
    # A JSON string is also a TOML one.
    return json.dumps(text, ensure_ascii=False)
