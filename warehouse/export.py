"""Export of an audience: its members and a manifest, published together or not at all.

An export is a folder `<name>/<id>/` with the members file and `manifest.json`, written beside its place and
renamed into it. `<name>/latest.json` names the last good one, so a refresh that fails leaves it in use.
Of the format 'table' the members are put into a table of a database besides, before the export counts as made.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from segments.atomic import sha256_of, write_text
from segments.canonical import fingerprint
from segments.codec import to_json
from segments.definition import Node
from segments.errors import ConflictError, NotFoundError, UserError
from segments.ports import Progress, silent
from warehouse.audience import Audiences
from warehouse.database import remove_rows, replace_table
from warehouse.pseudonyms import Vault
from warehouse.reach import members_by, reachable
from warehouse.store import storage_errors

TABLE = "table"
"""The format of an export that is a Parquet file here and a table, of its name, in the operator's database."""
FORMATS = ("csv", "parquet", "jsonl", TABLE)
LONGEST_TABLE = 63
"""Bytes of a table's name that PostgreSQL keeps."""
MANIFEST = "manifest.json"
LATEST = "latest.json"
TABLES = ".tables.json"
"""Beside the exports: the tables they went to."""
COLUMN = "customer"
TABLE_COLUMNS = (COLUMN, "segment", "as_of", "export_id")
"""Of a table that exports go to."""
LEFT_SECONDS = 300
"""A partial export that nobody wrote to for so long is nobody's."""


@dataclass(frozen=True)
class Manifest:
    """What an export holds.

    as_of: the date the audience is of; data_until: when the data end (the freshness of what it rests on);
    sha256: of the members file. channel: only members who agreed to it, of `total` members; empty for everyone.
    reachable: members by channel who agreed to it.
    """

    id: str
    name: str
    fingerprint: str
    definition: dict[str, Any]
    as_of: str
    data_until: str
    count: int
    format: str
    file: str
    sha256: str
    exported_at: str
    exported_by: str
    channel: str = ""
    total: int | None = None
    reachable: dict[str, int] = field(default_factory=dict)


def export(
    audiences: Audiences,
    vault: Vault,
    definition: Node,
    folder: Path,
    name: str,
    file_format: str = "csv",
    by: str = "",
    k: int = 1,
    channel: str = "",
    database: str = "",
    record: Callable[[Manifest], None] = lambda _manifest: None,
    progress: Progress = silent,
) -> Path:
    """Write the members' source ids under `folder`; return the new export's folder. What `progress` raises stops it.

    channel: only members who agreed to it (NotFoundError when that is not known). database: the address of the one that
    tables are put into. record: is told the manifest once everything agrees and before anybody can have the members; what
    it raises stops the export.

    Raises UserError for an unknown format, a name that is no file name or a group of fewer than k,
    ConflictError when what was written is not what was counted (nothing is published then), StorageError, DataError.
    """
    check_names(name, file_format, database)
    progress(0.0, "counting")
    total, reached = audiences.size(definition), reachable(audiences, definition)
    chosen = members_by(audiences, definition, channel) if channel else None
    count = reached[channel] if channel else total
    if 0 < count < k:
        raise UserError(
            f"The segment has fewer than {k} customers, too few to export; widen it.",
            f"该分群不足{k}名客户，人数太少，不能导出；请放宽条件。",
        )
    stamp = datetime.now(UTC)
    export_id = f"{stamp:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    home = folder / name
    partial, final = home / f".{export_id}.partial", home / export_id
    with storage_errors(home):
        partial.mkdir(parents=True)
        try:
            path = partial / f"members.{'parquet' if file_format == TABLE else file_format}"
            progress(0.1, "finding the members")
            members = vault.source_ids(audiences.members(definition) if chosen is None else chosen)
            progress(0.5, f"writing {len(members):,} customers")
            write_members(path, members)
            progress(0.8, "checking what was written")
            written = read_members(path)
            if len(written) != count or len(set(written)) != count:
                raise ConflictError(
                    f"The export of '{name}' was stopped: {count} customers were counted and {len(written)} written.",
                    f"“{name}”的导出已中止：数到{count}名客户，而写出了{len(written)}名。",
                )
            manifest = Manifest(
                export_id,
                name,
                fingerprint(definition),
                to_json(definition),
                audiences.as_of.isoformat(),
                audiences.warehouse.as_of.isoformat(),
                count,
                file_format,
                path.name,
                sha256_of(path),
                stamp.isoformat(timespec="seconds"),
                by,
                channel,
                total,
                reached,
            )
            (partial / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1, ensure_ascii=False))
            progress(0.9, "publishing")
            record(manifest)
            if file_format == TABLE:
                # First, so that whatever is in the table is known for the workspace's.
                _keep_table(folder, name, [*_kept_tables(folder).get(name, []), export_id])
                replace_table(database, name, table_of(manifest, written))
                _keep_table(folder, name, [export_id])
            os.replace(partial, final)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _point(home, export_id)
    return final


def _point(home: Path, export_id: str) -> None:
    """Make one the last good export of its name."""
    pointer = home / f".{export_id}.latest"
    pointer.write_text(json.dumps({"id": export_id}))
    os.replace(pointer, home / LATEST)


def check_names(name: str, file_format: str, database: str = "") -> None:
    """Raise UserError for an unknown format, a name that is no name of a folder, or a table without a database."""
    if file_format not in FORMATS:
        raise UserError(
            f"format: must be one of {', '.join(FORMATS)}; got '{file_format}'.",
            f"format：必须是{'、'.join(FORMATS)}之一，而给的是“{file_format}”。",
        )
    if not name or name.startswith(".") or Path(name).name != name or "\\" in name or not name.isprintable():
        raise UserError(
            f"name: '{name[:80]}' is no name for a folder; use letters, digits, spaces and dashes.",
            f"name：“{name[:80]}”不能作文件夹名；请用字母、数字、空格和短横线。",
        )
    if file_format == TABLE and not database:
        raise UserError(
            "format: 'table' needs a database; name it by export_database in segassist.toml.",
            "format：“table”需要数据库；请在 segassist.toml 中用 export_database 指定。",
        )
    if file_format == TABLE and len(name.encode()) > LONGEST_TABLE:
        raise UserError(
            f"name: a table's name has {LONGEST_TABLE} bytes at most; choose a shorter one.",
            f"name：表名最多{LONGEST_TABLE}字节；请用更短的名称。",
        )


def clear_partial(folder: Path, name: str) -> None:
    """Remove what exports of that name left when their process was killed: it holds customers' ids."""
    for partial in (folder / name).glob(".*.partial"):
        if time.time() - partial.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(partial, ignore_errors=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what exports of any name have not finished, killed or still at work, and a file that was being rewritten."""
    for partial in folder.glob("*/.*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
    for rewritten in folder.glob("*/*/.kept.*"):
        rewritten.unlink()


def members_files(folder: Path) -> list[Path]:
    """The members files of all exports, finished or not."""
    return sorted(folder.glob("*/*/members.*"))


def latest(folder: Path, name: str) -> Path:
    """The folder of the last good export of that name. Raises NotFoundError; ConflictError when it cannot be told."""
    pointer = folder / name / LATEST
    if not pointer.exists():
        raise NotFoundError(
            f"export: nothing has been exported as '{name}'.", f"export：没有以“{name}”导出过内容。"
        )
    try:
        return folder / name / str(json.loads(pointer.read_text())["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConflictError(
            f"{pointer} is damaged; export the segment again.", f"{pointer}已损坏；请重新导出该分群。"
        ) from error


def withdraw(export_folder: Path) -> None:
    """Remove an export for good; where it was the last of its name, the one before it is that now."""
    home = export_folder.parent
    with storage_errors(home):
        shutil.rmtree(export_folder, ignore_errors=True)
        with suppress(NotFoundError, ConflictError):
            while latest(home.parent, home.name) == export_folder:
                left = sorted(path.parent.name for path in home.glob(f"[!.]*/{MANIFEST}"))
                if left:
                    _point(home, left[-1])
                else:
                    (home / LATEST).unlink(missing_ok=True)
        with suppress(OSError):  # there are others of that name
            home.rmdir()


def prune(folder: Path, name: str, by: str) -> None:
    """Remove the exports of a name that one maker made, but for the one in use and the newest before it.

    They hold customers' ids. One whose manifest cannot be read has no maker, and stays.
    """
    in_use = latest(folder, name)
    for made in [made for made in _made_by(folder, name, by) if made != in_use][:-1]:
        shutil.rmtree(made)


def newest_of(folder: Path, name: str, by: str) -> Manifest | None:
    """What one maker exported last under a name that others export under too; None for nothing that can be read."""
    made = _made_by(folder, name, by)
    with suppress(NotFoundError, ConflictError):
        in_use = latest(folder, name)  # of those made within one second, ids do not tell the last
        made = {path: made[path] for path in sorted(made, key=lambda path: path == in_use)}
    return list(made.values())[-1] if made else None


def _made_by(folder: Path, name: str, by: str) -> dict[Path, Manifest]:
    found = {}
    for path in sorted((folder / name).glob(f"[!.]*/{MANIFEST}")):
        with suppress(ConflictError):
            found[path.parent] = read_manifest(path.parent)
    return {path: manifest for path, manifest in found.items() if manifest.exported_by == by}


def read_manifest(export_folder: Path) -> Manifest:
    """The manifest of an export, its members file not looked at. Raises ConflictError when it cannot be read."""
    path = export_folder / MANIFEST
    try:
        return Manifest(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ConflictError(
            f"{path} is missing or damaged; export the segment again.",
            f"{path}缺失或已损坏；请重新导出该分群。",
        ) from error


def manifest_of(export_folder: Path) -> Manifest:
    """The manifest of an export, its members file checked. Raises ConflictError when one of the two was changed."""
    manifest = read_manifest(export_folder)
    found = sha256_of(export_folder / manifest.file)
    if found != manifest.sha256:
        raise ConflictError(
            f"{export_folder / manifest.file} is not the file that was exported.",
            f"{export_folder / manifest.file}不是当时导出的文件。",
        )
    return manifest


def write_members(path: Path, members: Sequence[str]) -> None:
    """One customer a row, in the format of the file's ending."""
    table = pd.DataFrame({COLUMN: pd.Series(list(members), dtype="str")})
    match path.suffix:
        case ".parquet":
            table.to_parquet(path, index=False)
        case ".jsonl":
            table.to_json(path, orient="records", lines=True, force_ascii=False)
        case _:
            table.to_csv(path, index=False)


def read_members(path: Path) -> list[str]:
    """The customers of a members file."""
    match path.suffix:
        case ".parquet":
            table = pd.read_parquet(path)
        case ".jsonl":
            table = pd.read_json(path, lines=True, dtype={COLUMN: "str"})
        case _:
            table = pd.read_csv(path, dtype={COLUMN: "str"}, keep_default_na=False)
    return [] if table.empty else table[COLUMN].astype("str").tolist()


def readable_members(path: Path) -> list[str] | None:
    """The customers of a members file; None of one that is damaged."""
    try:
        return read_members(path)
    except (OSError, ValueError, KeyError):
        return None


def table_of(manifest: Manifest, members: Sequence[str]) -> pd.DataFrame:
    """The rows of an export's table: each member with the export that put them there."""
    rows = pd.DataFrame({COLUMN: members}, dtype="str")
    told = rows.assign(segment=manifest.name, as_of=manifest.as_of, export_id=manifest.id).astype("str")
    return told[list(TABLE_COLUMNS)]


def remove_from_tables(folder: Path, database: str, source_id: str) -> dict[str, int]:
    """Take a person out of the tables of a database that exports of a folder went to; the rows removed, by table.

    What other workspaces put there is theirs. Raises DataError, ConflictError.
    """
    return remove_rows(database, exported_tables(folder), TABLE_COLUMNS, COLUMN, source_id)


def remove_older(folder: Path, database: str, before: date) -> dict[str, int]:
    """As `remove_from_tables`, of the members as of a date before."""
    return remove_rows(
        database, exported_tables(folder), TABLE_COLUMNS, "as_of", before.isoformat(), below=True
    )


def exported_tables(folder: Path) -> dict[str, list[str]]:
    """The tables that exports of a folder went to, each with the ids of the exports whose rows it may hold.

    Raises ConflictError where that was kept and cannot be read.
    """
    found = _kept_tables(folder)
    for path in sorted(folder.glob(f"*/[!.]*/{MANIFEST}")):  # of versions that kept nothing
        with suppress(ConflictError):
            manifest = read_manifest(path.parent)
            if manifest.format == TABLE and manifest.id not in found.setdefault(manifest.name, []):
                found[manifest.name].append(manifest.id)
    return {name: ids for name, ids in found.items() if ids}


def _kept_tables(folder: Path) -> dict[str, list[str]]:
    path = folder / TABLES
    try:
        kept: dict[str, list[str]] = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise ConflictError(
            f"{path} is damaged; restore it from a backup, or remove it and export the tables again.",
            f"{path}已损坏；请从备份恢复，或删除它并重新导出这些表。",
        ) from error
    return kept


def _keep_table(folder: Path, name: str, ids: list[str]) -> None:
    write_text(folder / TABLES, json.dumps(_kept_tables(folder) | {name: ids}, ensure_ascii=False, indent=1))
