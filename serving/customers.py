"""The customers of a plan or an experiment as whoever contacts them takes them: one a row, as CSV or JSON lines.

Every row says as of when, and of which segment, by the hash of its definition: a list that is handed around is still
known for what it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from assistant.documents import Kind
from assistant.tools_campaigns import file_stem
from campaigns.assign import Arm
from campaigns.experiment import Experiment
from campaigns.plan import Strategy
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import DefinitionError
from warehouse.pseudonyms import Vault

ListFormat = Literal["csv", "jsonl"]
LIST_FORMATS: tuple[ListFormat, ...] = get_args(ListFormat)
COLUMNS = ("customer", "arm", "tier", "offer", "as_of", "definition")
"""customer: source id. tier: of the plan; of an experiment without one, the stratum that its arms are balanced in.
offer: empty where there is none. definition: the hash; empty for a plan that was saved before plans held it, and where it
named somebody who has been erased since."""


@dataclass(frozen=True)
class CustomerList:
    """Who is in a plan or an experiment. rows: (source id, arm, tier, offer), ordered by pseudonym."""

    kind: Kind
    name: str
    as_of: str
    definition: str
    rows: tuple[tuple[str, str, str, str], ...]

    def of(self, arm: Arm | None) -> CustomerList:
        """Those of one arm; everyone without."""
        return self if arm is None else replace(self, rows=tuple(row for row in self.rows if row[1] == arm))

    def text(self, file_format: ListFormat, *, spreadsheet: bool = False) -> str:
        """The list with `COLUMNS`. spreadsheet: cells that a spreadsheet would run are quoted."""
        stamped = [(*row, self.as_of, self.definition) for row in self.rows]
        if file_format == "csv":
            return csv_text(COLUMNS, stamped, spreadsheet=spreadsheet)
        objects = (dict(zip(COLUMNS, row, strict=True)) for row in stamped)
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in objects)

    def file_name(self, file_format: ListFormat) -> str:
        """What a file of it is called."""
        return f"{file_stem(self.name)}-customers.{file_format}"


def listed(kind: Kind, name: str, content: Mapping[str, Any], vault: Vault) -> CustomerList:
    """The list of a saved plan's or experiment's content, without those whom the vault does not keep any more."""
    document = Strategy.restored(dict(content)) if kind == "plan" else Experiment.from_dict(content)
    as_of = document.as_of if isinstance(document, Strategy) else document.start
    found = sorted(document.export_rows(), key=lambda row: row["customer_id"])
    kept = [row for row in found if row["customer_id"] in vault]
    ids = vault.source_ids([row["customer_id"] for row in kept])
    rows = tuple((i, row["arm"], row["tier"], row["offer"]) for i, row in zip(ids, kept, strict=True))
    return CustomerList(kind, name, as_of.isoformat(), _digest(document.definition), rows)


def _digest(definition: Mapping[str, Any] | None) -> str:
    if definition is None:
        return ""
    try:
        return fingerprint(from_json(definition))
    except DefinitionError:  # it named one customer, who has been erased
        return ""


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[str]], *, spreadsheet: bool = False) -> str:
    """Rows as CSV. spreadsheet: cells that a spreadsheet would run are quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_still(cell) for cell in row] if spreadsheet else row for row in rows)
    return out.getvalue()


def _still(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple("=+-@") else cell
