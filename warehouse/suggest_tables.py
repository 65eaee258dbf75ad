"""Mappings proposed for tables of customers, items and campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse.suggest_attributes import propose
from warehouse.suggest_columns import ITEM_FIELDS, Column, Guess, time_said, toml_text
from warehouse.suggest_events import Proposal, personal_notes


def propose_customers(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[Column], customer: Guess
) -> Proposal:
    """The table `sample` as customers: their id, consent by channel, and every other column as an attribute."""
    others = [column for column in columns if column.name != customer.column and column.personal is None]
    found, notes = propose(connection, others)
    reach = [one for one in found if one.channel]
    own = [one for one in found if one.lines]
    formats = {one.time_format for one in own if one.time_format}
    lines = [f"customer = {toml_text(customer.column)}"]
    if formats:
        kept = sorted(formats)[0]
        lines.append(f"time_format = {toml_text(kept)}")
        dropped = [one for one in own if one.time_format not in ("", kept)]
        notes += [f"{one.column} writes its dates otherwise than {kept}: it is left out." for one in dropped]
        own = [one for one in own if one not in dropped]
    if reach:
        said = ", ".join(f"{one.channel} = {toml_text(one.column)}" for one in reach)
        lines.append(f"reach = {{ {said} }}")
    tables = [("[[customers]]", lines), *((one.lines[0], list(one.lines[1:])) for one in own)]
    guesses = [customer]
    guesses += [Guess(f"reach.{one.channel}", one.column, one.why) for one in reach]
    guesses += [Guess(one.lines[1].split('"')[1], one.column, one.why) for one in own]
    notes = [*personal_notes(columns, customer.column), *notes]
    return Proposal(path, "customers", {"customer": customer.column}, tables, guesses, notes)


def propose_items(path: Path, columns: Sequence[Column], guesses: Sequence[Guess]) -> Proposal:
    """The table `sample` as items."""
    told = [guess for guess in guesses if guess.field in ("item", *ITEM_FIELDS)]
    found = {guess.field: guess.column for guess in told}
    lines = [f"{field} = {toml_text(column)}" for field, column in found.items()]
    unread = [column.name for column in columns if column.name not in found.values()]
    notes = [f"Columns that items have no field for are not read: {', '.join(unread)}."] if unread else []
    return Proposal(path, "items", {"item": found["item"]}, [("[[items]]", lines)], told, notes)


def propose_campaigns(path: Path, columns: Sequence[Column], guesses: Sequence[Guess]) -> Proposal:
    """The table `sample` as campaigns."""
    found = {guess.field: guess.column for guess in guesses}
    by_name = {column.name: column for column in columns}
    notes = [] if "end" in found else ["No column tells the end, so a campaign lasts 30 days."]
    times = {name: by_name[found[name]] for name in ("start", "end") if name in found}
    # What the engine knows for a date is read as one, whatever the format.
    formats = {time_said(column)[1] for column in times.values() if column.type != "DATE"}
    if len(formats) > 1:
        notes.append(
            "The end is written otherwise than the start, so it is not mapped: a campaign lasts 30 days."
        )
        formats = {time_said(times["start"])[1]}
        del found["end"], times["end"]
    found |= {name: time_said(column)[0] for name, column in times.items()}
    said = {field: found[field] for field in ("campaign", "type", "start", "end") if field in found}
    lines = [f"{field} = {toml_text(column)}" for field, column in said.items()]
    lines += [f"time_format = {toml_text(written)}" for written in formats if written]
    return Proposal(
        path, "campaigns", {"campaign": found["campaign"]}, [("[[campaigns]]", lines)], list(guesses), notes
    )
