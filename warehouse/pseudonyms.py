"""Keyed pseudonyms: source customer ids are replaced at ingestion and kept apart, in the vault.

A pseudonym is the first 16 hex digits of HMAC-SHA-256(key, source id): stable within a workspace,
meaningless outside it. The vault (pseudonym -> source id) is read only to export an audience. Its two files, the
key's too, are encrypted where the operator has set a key (`warehouse.encryption`).
"""

from __future__ import annotations

import hmac
import io
import secrets
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segments.atomic import made_once, write_private, write_text
from segments.errors import DataError, NotBuiltError, NotFoundError
from warehouse.encryption import seal, unseal

KEY_FILE = "vault.key"
VAULT_FILE = "vault.parquet"
AS_NUMBER, AS_TEXT = "('0x' || {})::UBIGINT", "format('{{:016x}}', {})"
"""SQL of a pseudonym as the number that its digits write, and of the number's pseudonym; both are in the same order."""
ERASED_FILE = "erased.txt"
"""Pseudonyms of persons who asked to be forgotten, one a line: a load never brings them back."""


def load_or_create_key(folder: Path) -> bytes:
    """The workspace's key, 32 random bytes made on first use and readable by the owner alone."""
    path = folder / KEY_FILE
    return unseal(made_once(path, seal(secrets.token_bytes(32))), path)


def pseudonym(key: bytes, source_id: str) -> str:
    """The pseudonym of one source id."""
    return hmac.digest(key, source_id.encode(), sha256).hex()[:16]


def erased_pseudonyms(folder: Path) -> frozenset[str]:
    """Who was erased from this workspace."""
    path = folder / ERASED_FILE
    return frozenset(path.read_text().split()) if path.exists() else frozenset()


def note_erased(folder: Path, customer_id: str) -> None:
    """Add a pseudonym to the erased ones."""
    write_text(folder / ERASED_FILE, "\n".join(sorted({*erased_pseudonyms(folder), customer_id})) + "\n")


def read_vault(folder: Path) -> pd.DataFrame:
    """The vault, with columns customer_id and source_id. Raises DataError for a damaged one."""
    path = folder / VAULT_FILE
    try:
        return pd.read_parquet(io.BytesIO(unseal(path.read_bytes(), path)))
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is damaged; restore it from a backup: segassist restore.") from error


def write_vault(folder: Path, source_ids: list[str], key: bytes) -> pd.DataFrame:
    """Write the vault atomically, erased persons left out; return it with columns customer_id, source_id."""
    vault = pd.DataFrame({"customer_id": [pseudonym(key, s) for s in source_ids], "source_id": source_ids})
    vault = vault[~vault["customer_id"].isin(erased_pseudonyms(folder))].reset_index(drop=True)
    _save(folder, vault)
    return vault


def extend_vault(folder: Path, source_ids: list[str], key: bytes) -> pd.DataFrame:
    """Add ids to the vault, erased persons left out; return the rows of these ids."""
    erased = erased_pseudonyms(folder)
    rows = [(pseudonym(key, source_id), source_id) for source_id in source_ids]
    asked = pd.DataFrame(
        [row for row in rows if row[0] not in erased], columns=["customer_id", "source_id"], dtype="str"
    )
    path = folder / VAULT_FILE
    known = pq.read_table(io.BytesIO(unseal(path.read_bytes(), path)), columns=["customer_id"])["customer_id"]
    # Arrow's own search: pandas would make a Python text of every known id first.
    found = pc.is_in(pa.array(asked["customer_id"], known.type), value_set=known)
    new = asked[~found.to_numpy(zero_copy_only=False)]
    if len(new):
        _save(folder, pd.concat([read_vault(folder), new], ignore_index=True))
    return asked


def forget(folder: Path, customer_id: str) -> None:
    """Take a pseudonym and its source id out of the vault."""
    vault = read_vault(folder)
    _save(folder, vault[vault["customer_id"] != customer_id])


def keep_only(folder: Path, customer_ids: set[str]) -> int:
    """Take everybody else out of the vault; how many they were."""
    vault = read_vault(folder)
    kept = vault[vault["customer_id"].isin(customer_ids)]
    _save(folder, kept)
    return len(vault) - len(kept)


def _save(folder: Path, vault: pd.DataFrame) -> None:
    content = io.BytesIO()
    vault.to_parquet(content, index=False)
    write_private(folder / VAULT_FILE, seal(content.getvalue()))


class Vault:
    """Looks source ids up, both ways."""

    def __init__(self, folder: Path) -> None:
        if not (folder / VAULT_FILE).exists():
            raise NotBuiltError(f"No data has been loaded into {folder}; run: segassist build")
        table = read_vault(folder)
        self._sources = dict(zip(table["customer_id"], table["source_id"], strict=True))
        self._key = load_or_create_key(folder)

    def __contains__(self, customer_id: str) -> bool:
        """Whether the pseudonym's source id is kept: of whoever is past the retention period it is not."""
        return customer_id in self._sources

    def source_ids(self, customer_ids: list[str]) -> list[str]:
        """The source id of each pseudonym, in the same order."""
        return [self._sources[customer_id] for customer_id in customer_ids]

    def customer_id(self, source_id: str) -> str | None:
        """The pseudonym of a source id, or None when there is no such customer."""
        candidate = pseudonym(self._key, source_id)
        return candidate if candidate in self._sources else None

    def known(self, source_id: str) -> str:
        """The pseudonym of a source id. Raises NotFoundError."""
        found = self.customer_id(source_id)
        if found is None:
            raise NotFoundError(
                f"customer: there is no customer '{source_id}'; give an id of the source data.",
                f"customer：没有客户“{source_id}”；请给出源数据中的编号。",
            )
        return found
