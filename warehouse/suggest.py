"""A first mapping proposed for files: from their column names and values, with a reason for each guess.

A file is taken for events, customers, items or campaigns; a column for a field when its name is one that shops use for
it and its values look like it. Of several files it is told how they join. A person reads the proposal, mends it and
ingests it. Nothing is loaded on a guess.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from segments.errors import DataError
from warehouse.connection import identifier, scratch
from warehouse.encodings import detected, parquet
from warehouse.file_reader import reader
from warehouse.personal import column_words
from warehouse.suggest_attributes import GROUPS
from warehouse.suggest_columns import (
    CAMPAIGN_NAMES,
    CUSTOMER_NAMES,
    EVENT_NAMES,
    ITEM_FIELDS,
    ITEM_NAMES,
    Column,
    Guess,
    columns_of,
    guessed,
    nested_notes,
    toml_text,
)
from warehouse.suggest_events import Proposal, propose_events
from warehouse.suggest_tables import propose_campaigns, propose_customers, propose_items
from warehouse.utf8 import Utf8Copies, utf8_copies

KINDS = ("events", "items", "customers", "campaigns")
_HAPPENED = ("item", "order", "session", "event", "quantity", "price", "value")
"""Fields of which what happened has one at least."""
_CALLED = {
    "customers": r"customers?|clients?|members?|users?|buyers?|contacts?|客户|会员|用户",
    "items": r"items?|products?|articles?|catalog(ue)?|skus?|goods|商品|产品",
    "campaigns": r"campaigns?|promotions?|mailings?|活动",
}
"""What files are called."""
_ID = r"id|no|number|code|key|编号|序号"
_VALUE = r"[-+]?\d+(\.\d+)?|\d{4}-\d\d-\d\d.*"
"""What columns are not called: a number, a date."""
_JOINED = 0.5
"""Share of the ids in events that a table holds, from which it is taken to be theirs."""


@dataclass(frozen=True)
class Suggestion:
    """The proposed mapping as TOML, the guesses behind it (`table.field`), and what a person should look at."""

    toml: str
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def suggest(*paths: Path) -> Suggestion:
    """A mapping for files, at least one of them of events for it to be ingested.

    Raises DataError for a file that cannot be read, or that is neither events, customers, items nor campaigns.
    """
    for path in paths:
        if not path.is_file():
            raise DataError(f"--suggest: {path} is no file.")
    with scratch() as connection, utf8_copies(connection) as copies:
        found = [_proposal(path, copies) for path in paths]
        joins = _joins(found, copies) if len(found) > 1 else []
    notes = [f"{one.path.name}: {note}" if len(found) > 1 else note for one in found for note in one.notes]
    if len(found) > 1:
        notes = [*(f"{one.path.name} holds {one.kind}." for one in found), *joins, *notes]
    folder = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    if not any(one.kind == "events" for one in found):
        notes.append(
            "No file tells what customers did: a mapping needs [[events]] besides, so suggest one for both."
        )
    if folder != Path.cwd():
        notes.append(
            f"Files are looked for beside the mapping: keep it in {folder}, or ingest it with --data {folder}."
        )
    toml, money = _toml(found, folder)
    guesses = [
        Guess(
            guess.field if one.kind == "events" else f"{one.kind}.{guess.field}", guess.column, guess.reason
        )
        for one in found
        for guess in one.guesses
    ]
    return Suggestion(toml, tuple(guesses), (*notes, *money))


def _proposal(path: Path, copies: Utf8Copies) -> Proposal:
    encoding = None if parquet(path) else detected(path)
    if encoding is None:
        return _told_by(path)
    one = _told_by(copies.of(path, encoding.encoding))
    one.notes.insert(
        0, f"The encoding is taken for {encoding.encoding}: {encoding.why}; look whether that is so."
    )
    return replace(one, path=path, encoding=encoding.encoding)


def _told_by(path: Path) -> Proposal:
    connection = scratch()
    columns = columns_of(connection, path)
    events = guessed(columns, EVENT_NAMES)
    fields = {guess.field: guess.column for guess in events}
    by_name = {column.name: column for column in columns}
    customer = fields.get("customer")
    once = customer is not None and by_name[customer].unique and by_name[customer].rows > 1
    # A table of customers names each once, and no order, item or event; its date tells when they came.
    told = [field for field in _HAPPENED if field in fields]
    table = once and not {"item", "order", "event"} & fields.keys() and _called(path) == "customers"
    if customer and "time" in fields and told and not table:
        return propose_events(connection, path, columns, events)
    campaigns = guessed(columns, CAMPAIGN_NAMES)
    if not customer and {"campaign", "start"} <= {guess.field for guess in campaigns}:
        return propose_campaigns(path, columns, campaigns)
    if customer and by_name[customer].unique and not {"item", "order"} & fields.keys():
        return propose_customers(connection, path, columns, guessed(columns, CUSTOMER_NAMES)[0])
    items = guessed(columns, ITEM_NAMES)
    named = {guess.field for guess in items}
    if not customer and "item" in named and (named & {*ITEM_FIELDS} or _called(path) == "items"):
        if "order" in fields:
            raise DataError(
                f"--suggest: {path.name} has lines of orders without their customer; a mapping reads one file at a time, "
                f"so bring the customer and the time in by {fields['order']} first, e.g. as a view of a database."
            )
        return propose_items(path, columns, items)
    return _by_its_name(connection, path, columns, sorted({"customer", "time"} - fields.keys()))


def _called(path: Path) -> str | None:
    words = column_words(path.name.split(".")[0])
    return next(
        (kind for kind, said in _CALLED.items() if re.search(rf"(^| |_)({said})($| |_)", words)), None
    )


def _by_its_name(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column], lacking: Sequence[str]
) -> Proposal:
    """A file whose id is called just that: its own name tells of what."""
    # What tells of persons outweighs the name: 'marketing_campaign' may be the customers of one.
    persons = any(re.fullmatch(GROUPS, column.words) for column in columns)
    kind = "customers" if persons else _called(path)
    own = next((column for column in columns if column.unique and re.fullmatch(_ID, column.words)), None)
    if own is not None:
        reason = f"{path.name} is taken for {kind}, and no two of its rows have one {own.name}"
        rest = [column for column in columns if column != own]
        if kind == "customers":
            return propose_customers(connection, path, columns, Guess("customer", own.name, reason))
        if kind == "items":
            names = {field: pattern for field, pattern in ITEM_NAMES.items() if field != "item"}
            return propose_items(path, columns, [Guess("item", own.name, reason), *guessed(rest, names)])
        if kind == "campaigns":
            names = {field: pattern for field, pattern in CAMPAIGN_NAMES.items() if field != "campaign"}
            found = guessed(rest, names)
            if any(guess.field == "start" for guess in found):
                return propose_campaigns(path, columns, [Guess("campaign", own.name, reason), *found])
    if any(re.fullmatch(_VALUE, column.name) for column in columns):
        raise DataError(
            f"--suggest: the first line of {path.name} holds values, not names: "
            f"{', '.join(column.name for column in columns[:20])}. Write the mapping by hand, and in it what the columns "
            'are called: header = ["user", "item", ...].'
        )
    raise DataError(
        f"--suggest: no column of {path.name} looks like a {' or a '.join(lacking) or 'customer'}; "
        f"it has {', '.join(column.name for column in columns[:20])}. Write the mapping by hand."
        + "".join(f" {note}" for note in nested_notes(columns))
    )


def _joins(found: Sequence[Proposal], copies: Utf8Copies) -> list[str]:
    """How tables join the events, by the ids that both hold."""
    said = []
    for events in (one for one in found if one.kind == "events"):
        for table in (one for one in found if one.kind != "events"):
            ((field, column),) = table.keys.items()
            theirs = events.keys.get(field)
            if theirs is None:
                said.append(f"{events.path.name} names no {field}, so {table.path.name} joins nothing of it.")
                continue
            here, there = (copies.of(one.path, one.encoding) for one in (events, table))
            share = _share(here, theirs, there, column)
            doubt = "" if share >= _JOINED else "; look whether it is the right column"
            said.append(
                f"{events.path.name} and {table.path.name} join by {theirs} = {column}: {share:.0%} of the {field}s of the "
                f"first are in the second{doubt}."
            )
    return said


def _share(events: Path, theirs: str, table: Path, column: str) -> float:
    row = (
        scratch()
        .execute(
            f"SELECT count(*) FILTER (id IN (SELECT {identifier(column)}::VARCHAR FROM {reader([table])})) / "
            f"greatest(count(*), 1) FROM (SELECT DISTINCT {identifier(theirs)}::VARCHAR AS id FROM {reader([events])}) "
            "WHERE id IS NOT NULL"
        )
        .fetchone()
    )
    return float(row[0]) if row else 0.0


def _toml(found: Sequence[Proposal], folder: Path) -> tuple[str, list[str]]:
    """The mapping, and what is to be looked at in its money."""
    title = found[0].path.name.split(".")[0] if len(found) == 1 else folder.name
    signs = list(dict.fromkeys(one.sign for one in found if one.sign))
    codes = list(dict.fromkeys(code for one in found for code in one.codes))
    lines = [f"name = {toml_text(title)}", f"currency = {toml_text(signs[0] if signs else '$')}"]
    notes = []
    if len(codes) > 1:
        lines += ["", "[rates]", f"{codes[0]} = 1.0"]
        lines += [f"# {code} = ...  # what one {code} is worth in {codes[0]}" for code in codes[1:]]
        notes.append(
            f"Amounts are in {', '.join(codes)}: give [rates] what one {' and one '.join(codes[1:])} is worth in {codes[0]}"
            "; until then their events are kept apart, and 5 % of them stop the load."
        )
    elif len(signs) > 1:
        notes.append(f"Files speak of several currencies ({', '.join(signs)}): {signs[0]} is taken.")
    elif signs:
        notes.append(
            f"The currency is {signs[0].strip()}: the amounts, their column's name or a column of codes say so."
        )
    else:
        notes.append("Nothing tells the currency: $ is taken; change it in the first lines.")
    # Fields of the mapping stand before its tables, and tables in the order that docs have them.
    for kind in KINDS:
        for one in found:
            for head, told in one.lines:
                if head.strip("[]").split(".")[0] == kind:
                    where = one.path.absolute().relative_to(folder).as_posix()
                    files = [] if "." in head else [f"files = [{toml_text(where)}]"]
                    if files and one.encoding:
                        files.append(f"encoding = {toml_text(one.encoding)}")
                    lines += ["", head, *files, *told]
    return "\n".join(lines) + "\n", notes
