"""Encryption at rest: on when the operator sets a key, which is read from the environment and kept nowhere.

The warehouse is encrypted by DuckDB (AES-256-GCM), the files of the vault here: AES-256-GCM in frames, each bound to
its place and the last one marked, so that a file cut short or put together from two is noticed. Every use has a key of
its own, derived from the operator's by HKDF-SHA-256.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from segments.errors import EncryptionError

KEY_VARIABLE = "SEGASSIST_ENCRYPTION_KEY"
KEY_FILE_VARIABLE = "SEGASSIST_ENCRYPTION_KEY_FILE"
LEAST_LETTERS = 32
"""A key is random letters, as `openssl rand -base64 32` prints; it is not stretched as a password would have to be."""
INSTALL = "pip install 'segment-assistant[encryption]'"

MAGIC = b"segassist sealed 1\n"
SALT, TAG, FRAME = 16, 16, 1 << 24


def operator_key() -> bytes | None:
    """The operator's key; None when none is set. Raises EncryptionError for one that cannot be used."""
    given, file = os.environ.get(KEY_VARIABLE), os.environ.get(KEY_FILE_VARIABLE)
    if given and file:
        raise EncryptionError(f"{KEY_VARIABLE} and {KEY_FILE_VARIABLE} are both set; leave one of them.")
    if file:
        try:
            given = Path(file).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise EncryptionError(f"{KEY_FILE_VARIABLE}: {file} cannot be read as a key.") from error
    if given is None or not (file or given):
        return None
    key = given.strip()
    if len(key) < LEAST_LETTERS:
        raise EncryptionError(
            f"{KEY_FILE_VARIABLE if file else KEY_VARIABLE} must be at least {LEAST_LETTERS} random letters; "
            "make one with: openssl rand -base64 32"
        )
    return key.encode()


def derived(purpose: str, salt: bytes | None = None) -> bytes | None:
    """32 bytes for one purpose; None when no key is set."""
    key = operator_key()
    if key is None:
        return None
    try:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise EncryptionError(f"{KEY_VARIABLE} needs the package cryptography; run: {INSTALL}") from error
    return HKDF(SHA256(), 32, salt, f"segassist {purpose}".encode()).derive(key)


def seal(content: bytes) -> bytes:
    """What is written for a file's content: encrypted, or as it is when no key is set."""
    salt = secrets.token_bytes(SALT)
    key = derived("vault", salt)
    if key is None:
        return content
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key)
    pieces = [content[start : start + FRAME] for start in range(0, len(content), FRAME)] or [b""]
    nonces = _nonces(len(pieces))
    return b"".join([MAGIC, salt, *(cipher.encrypt(next(nonces), piece, None) for piece in pieces)])


def unseal(written: bytes, path: Path) -> bytes:
    """A file's content from what was written. path: named in errors.

    Raises EncryptionError when it is encrypted and the key is missing or wrong, or the other way round.
    """
    if not is_sealed(written):
        if operator_key() is not None:
            raise not_encrypted(path)
        return written
    start = len(MAGIC) + SALT
    key = derived("vault", written[len(MAGIC) : start])
    if key is None:
        raise key_missing(path)
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key)
    places = range(start, len(written), FRAME + TAG)
    nonces = _nonces(len(places))
    if not places:
        raise key_wrong(path)
    try:
        return b"".join(cipher.decrypt(next(nonces), written[at : at + FRAME + TAG], None) for at in places)
    except InvalidTag as error:
        raise key_wrong(path) from error


def is_sealed(written: bytes) -> bool:
    """Whether a file's bytes are encrypted ones."""
    return written.startswith(MAGIC)


def _nonces(frames: int) -> Iterator[bytes]:
    """One for each frame, with the last one's marked. Used once: the key is derived with a salt of the file's own."""
    for number in range(frames):
        yield number.to_bytes(11, "big") + bytes([number == frames - 1])


def key_missing(path: Path) -> EncryptionError:
    """Encrypted, and no key is set."""
    return EncryptionError(f"{path} is encrypted; set {KEY_VARIABLE} or {KEY_FILE_VARIABLE} to its key.")


def key_wrong(path: Path) -> EncryptionError:
    """Encrypted, with another key than the one that is set."""
    return EncryptionError(f"{path} is damaged or encrypted with another key than the one that is set.")


def not_encrypted(path: Path) -> EncryptionError:
    """A key is set, and the file is plain."""
    return EncryptionError(
        f"A key is set, but {path} is not encrypted; run: segassist data encrypt (or unset the key)."
    )
