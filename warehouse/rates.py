"""Amounts of several currencies made one: by the rates of the mapping, by day where they are dated, never by a guess."""

from __future__ import annotations

from warehouse.mapping import Rates

UNKNOWN = "unknown_currency"
"""The column of raw_events that holds the code of an amount without a rate, '?' where there is none."""


def rate_of(code: str, moment: str, rates: Rates) -> str:
    """SQL of the rate: of a code (SQL), at a time (SQL); null without one."""
    cases = []
    for name, dated in rates.items():
        steps = " ".join(f"WHEN {moment} >= TIMESTAMP '{day}' THEN {rate!r}::DOUBLE" for day, rate in dated)
        cases.append(f"WHEN '{name.replace(chr(39), chr(39) * 2)}' THEN CASE {steps} END")
    return f"CASE upper(trim({code})) {' '.join(cases)} END"


def unknown(code: str, moment: str, amounts: list[str], rates: Rates) -> str:
    """SQL of what `UNKNOWN` holds: null where there is a rate, or nothing to convert."""
    something = " OR ".join(f"coalesce({amount}, 0) <> 0" for amount in amounts)
    return (
        f"CASE WHEN ({something}) AND {rate_of(code, moment, rates)} IS NULL "
        f"THEN coalesce(nullif(upper(trim({code})), ''), '?') END"
    )
