"""The one place where DuckDB opens a warehouse file, encrypted where the operator has set a key."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import duckdb

from segments.errors import EncryptionError
from warehouse.encryption import INSTALL, derived, key_missing, key_wrong, not_encrypted

HTTPFS = "duckdb_extension_httpfs"
"""The package that carries DuckDB's extension httpfs, whose OpenSSL is what encrypted files are written with."""

STORAGE = "v1.5.0"
"""The format that files are written in: since 1.3 DuckDB keeps texts by a dictionary that is compressed itself, which is
written and searched faster. Older files are read as they are."""


def quoted(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to a warehouse file, made when it is not there. Raises EncryptionError when the key does not fit."""
    if derived("warehouse") is None:
        config: dict[str, str | bool | int | float | list[str]] = {}
        if not read_only:
            config["storage_compatibility_version"] = STORAGE
        with _key_errors(path):
            return duckdb.connect(str(path), read_only=read_only, config=config)
    connection = duckdb.connect()
    try:
        # Else what does not fit into memory is written to the folder that the process was started in.
        connection.execute(f"SET temp_directory = {quoted(f'{path}.tmp')}")
        attach(connection, path, "warehouse", read_only=read_only)
        connection.execute("USE warehouse")
    except BaseException:
        connection.close()
        raise
    return connection


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
