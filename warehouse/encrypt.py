"""A workspace's warehouse and vault encrypted where they lie, or made plain again, with the key that is set.

The warehouse is copied beside its place and compared before anything is replaced; then the vault's files and the
warehouse are, one right after the other. Where that is cut off in between, running it again does the rest.
"""

from __future__ import annotations

from pathlib import Path

from segments.atomic import write_private
from segments.errors import EncryptionError, InternalError, NotBuiltError
from segments.ports import Progress, silent
from warehouse.connection import attach, scratch
from warehouse.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE, is_sealed, operator_key, seal, unseal
from warehouse.pseudonyms import KEY_FILE, VAULT_FILE
from warehouse.store import FILE, replacing
from warehouse.write import count

SECRET = (KEY_FILE, VAULT_FILE)


def encrypted_files(folder: Path) -> dict[str, bool]:
    """Of the warehouse and the vault's files that there are: whether each is encrypted."""
    found = {FILE: _is_encrypted(folder / FILE)} if (folder / FILE).exists() else {}
    paths = [folder / name for name in SECRET if (folder / name).exists()]
    return found | {path.name: is_sealed(path.read_bytes()) for path in paths}


def encrypt(folder: Path, progress: Progress = silent) -> tuple[str, ...]:
    """Encrypt what is plain; the names of the files that were. Raises EncryptionError when no key is set."""
    return _convert(folder, True, progress)


def decrypt(folder: Path, progress: Progress = silent) -> tuple[str, ...]:
    """Make plain what is encrypted; the names of the files that were. Raises EncryptionError without the right key."""
    return _convert(folder, False, progress)


def _convert(folder: Path, encrypting: bool, progress: Progress) -> tuple[str, ...]:
    if operator_key() is None:
        raise EncryptionError(
            f"Set {KEY_VARIABLE}, or {KEY_FILE_VARIABLE} to a file that holds it; "
            "make a key with: openssl rand -base64 32"
        )
    found = encrypted_files(folder)
    if FILE not in found:
        raise NotBuiltError(f"There is no warehouse at {folder / FILE}; run: segassist build")
    names = tuple(name for name, encrypted in found.items() if encrypted != encrypting)
    # Read before anything is changed, so that a wrong key changes nothing.
    secret = {folder / name: _opened(folder / name) for name in SECRET if name in names}
    if FILE in names:
        with replacing(folder / FILE) as partial:
            progress(0.0, "copying the warehouse")
            _copy(folder / FILE, partial, encrypting)
            progress(0.9, "replacing the files")
            _write(secret, encrypting)
    else:
        _write(secret, encrypting)
    progress(1.0, "done")
    return names


def _opened(path: Path) -> bytes:
    written = path.read_bytes()
    return unseal(written, path) if is_sealed(written) else written


def _write(secret: dict[Path, bytes], encrypting: bool) -> None:
    for path, content in secret.items():
        write_private(path, seal(content) if encrypting else content)


def _copy(path: Path, partial: Path, encrypting: bool) -> None:
    with scratch(partial) as connection:
        attach(connection, path, "old", plain=encrypting)
        attach(connection, partial, "new", read_only=False, plain=not encrypting)
        connection.execute("COPY FROM DATABASE old TO new")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'old'")
        for (table,) in tables.fetchall():
            both = (count(connection, f'SELECT count(*) FROM {of}."{table}"') for of in ("old", "new"))
            if len(set(both)) != 1:
                raise InternalError(f"The copy of {path} lacks rows of {table}; nothing was replaced.")
        # Else rows may wait in the log beside the file, which does not move with it.
        connection.execute("CHECKPOINT new")


def _is_encrypted(path: Path) -> bool:
    with scratch(path) as connection:
        try:
            attach(connection, path, "asked", plain=True)
        except EncryptionError:
            return True
    return False
