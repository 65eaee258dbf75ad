"""The one place where DuckDB is opened: bounded in memory, encrypted where the operator has set a key.

What does not fit into the memory limit is written to a folder of its own for each process beside the file, because
processes that share one write over each other's rows (DuckDB's issue 15173).
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import duckdb

from segments.errors import EncryptionError, OperatorError
from warehouse.encryption import INSTALL, derived, key_missing, key_wrong, not_encrypted

HTTPFS = "duckdb_extension_httpfs"
"""The package that carries DuckDB's extension httpfs, whose OpenSSL is what encrypted files are written with."""

STORAGE = "v1.5.0"
"""The format that files are written in: since 1.3 DuckDB keeps texts by a dictionary that is compressed itself, which is
written and searched faster. Older files are read as they are."""


MEMORY_VARIABLE, SPILL_VARIABLE = "SEGASSIST_MEMORY_LIMIT", "SEGASSIST_SPILL_LIMIT"
"""What one process may hold in memory for DuckDB, and what it may write beside the warehouse meanwhile ('8GB')."""
MEMORY_SHARE = 0.55
"""The default memory limit, of the machine's memory or of the container's limit: Python and what the allocator holds
back come on top. DuckDB's own default is 0.8, with which loads of 100 million events were killed in 24 GB."""
_DUCKDBS_SHARE = 0.8
_SCRATCHES = count()


def quoted(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to a warehouse file, made when it is not there. Raises EncryptionError when the key does not fit."""
    if derived("warehouse") is None:
        config: dict[str, str | bool | int | float | list[str]] = {}
        if not read_only:
            config["storage_compatibility_version"] = STORAGE
        with _key_errors(path):
            connection = duckdb.connect(str(path), read_only=read_only, config=config)
        try:
            _bound(connection, _spill_folder(path))
        except BaseException:
            connection.close()
            raise
        return connection
    connection = scratch(path)
    try:
        attach(connection, path, "warehouse", read_only=read_only)
        connection.execute("USE warehouse")
    except BaseException:
        connection.close()
        raise
    return connection


def scratch(beside: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to an empty database in memory. beside: where it spills; default: the system's place."""
    connection = duckdb.connect()
    try:
        place = beside or Path(tempfile.gettempdir()) / "segassist"
        _bound(connection, _spill_folder(place, f"-{next(_SCRATCHES)}"))
    except BaseException:
        connection.close()
        raise
    return connection


def _bound(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Set what the connection may take. Raises OperatorError for an amount that DuckDB cannot read."""
    amounts = (
        ("memory_limit", MEMORY_VARIABLE, os.environ.get(MEMORY_VARIABLE) or _default_limit()),
        ("max_temp_directory_size", SPILL_VARIABLE, os.environ.get(SPILL_VARIABLE)),
    )
    for setting, variable, amount in amounts:
        if amount:
            try:
                connection.execute(f"SET {setting} = {quoted(amount)}")
            except duckdb.Error:
                raise OperatorError(f"{variable}: '{amount}' is not an amount; give one like 8GB.") from None
    # Connections of one process to one file share all settings, and the folder of one that is in use cannot be set.
    row = connection.execute("SELECT current_setting('temp_directory')").fetchone()
    if row != (str(folder),):
        connection.execute(f"SET temp_directory = {quoted(str(folder))}")


@cache
def _default_limit() -> str:
    """MEMORY_SHARE of the memory there is, from DuckDB's own default: it knows the limits of containers."""
    with duckdb.connect() as connection:
        row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    amount, unit = str(row[0] if row else "").split()
    return f"{float(amount) * MEMORY_SHARE / _DUCKDBS_SHARE:.2f}{unit}"


def _spill_folder(path: Path, suffix: str = "") -> Path:
    """Made by DuckDB when something is spilled, and removed by it when the connection is closed."""
    return path.with_name(f"{path.name}.{socket.gethostname()[:64]}-{os.getpid()}{suffix}.tmp")


@contextmanager
def folder_beside(connection: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """A folder of this process beside where a connection spills, to be made by whoever needs it, removed with the block.

    What killed processes left of such folders is removed first.
    """
    row = connection.execute("SELECT current_setting('temp_directory')").fetchone()
    spill = Path(str(row[0] if row else ""))
    spilled = spill.name.rpartition(f".{socket.gethostname()[:64]}-")[0]
    if spilled:
        clear_spills(spill.with_name(spilled))
    folder = spill.with_name(f"{spill.stem}-{next(_SCRATCHES)}.tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_spills(path: Path) -> None:
    """Remove what killed processes of this host left beside a file."""
    written = re.compile(
        re.escape(path.name) + rf"\.{re.escape(socket.gethostname()[:64])}-(\d+)(-\d+)*\.tmp"
    )
    for folder in path.parent.glob("*.tmp"):
        found = written.fullmatch(folder.name)
        if found and not _runs(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    *,
    read_only: bool = True,
    plain: bool = False,
) -> None:
    """Make the tables of a warehouse file known as `<name>.<table>`. plain: not encrypted, whatever key is set.

    Raises EncryptionError when the key does not fit.
    """
    key = None if plain else derived("warehouse")
    options = ["READ_ONLY"] if read_only else [f"STORAGE_VERSION {quoted(STORAGE)}"]
    if key is not None:
        _load_openssl(connection, needed=not read_only)
        connection.execute("SET temp_file_encryption = true")
        options.append(f"ENCRYPTION_KEY {quoted(base64.b64encode(key).decode())}")
    with _key_errors(path):
        given = f" ({', '.join(options)})" if options else ""
        connection.execute(f"ATTACH {quoted(str(path))} AS {name}{given}")


@contextmanager
def _key_errors(path: Path) -> Iterator[None]:
    """What DuckDB says of keys, in our words; never with the statement, which holds the key."""
    try:
        yield
    except duckdb.Error as error:
        said = str(error)
        if "without a key" in said:
            raise key_missing(path) from None
        if "Wrong encryption key" in said:
            raise key_wrong(path) from None
        if "is not encrypted" in said:
            raise not_encrypted(path) from None
        raise


def _load_openssl(connection: duckdb.DuckDBPyConnection, *, needed: bool) -> None:
    """Load httpfs: from the package of this version, else what is installed. Reading goes without, more slowly."""
    package = find_spec(HTTPFS)
    if package is not None and package.origin is not None:
        file = Path(package.origin).parent / f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
        if file.exists():
            connection.execute(f"LOAD {quoted(str(file))}")
            return
    with suppress(duckdb.Error):
        connection.execute("LOAD httpfs")
        return
    if needed:
        raise EncryptionError(
            f"To write an encrypted warehouse, DuckDB {duckdb.__version__} needs its extension httpfs; "
            f"run: {INSTALL} (or, in DuckDB, INSTALL httpfs)."
        )
