"""An export delivered to a web address: signed, retried, and safe to receive twice.

The body is the members file. Headers: `Idempotency-Key` (the export's id: the same at every try),
`X-Segassist-Manifest` (JSON, ASCII), `X-Segassist-Signature` (`sha256=` HMAC-SHA-256 of manifest + newline +
body with the shared secret), as receivers of GitHub's and Stripe's webhooks are used to.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import httpx

from segments.errors import StorageError, UserError
from warehouse.export import manifest_of

TRIES = 5
FIRST_WAIT = 0.5
TIMEOUT = 30.0


def signature(secret: str, manifest: str, body: bytes) -> str:
    """The value of the signature header."""
    return "sha256=" + hmac.new(secret.encode(), manifest.encode() + b"\n" + body, "sha256").hexdigest()


def check_delivery(url: str, secret: str) -> None:
    """Raises UserError for an address or a secret that nothing can be delivered with."""
    try:
        address = httpx.URL(url)
        whole = address.scheme in ("http", "https") and bool(address.host)
    except httpx.InvalidURL:
        whole = False
    if not whole or not secret:
        raise UserError(
            "webhook: needs an http(s) address and a secret.", "webhook：需要 http(s) 地址和密钥。"
        )


def deliver(export_folder: Path, url: str, secret: str, wait: Callable[[float], None] = time.sleep) -> int:
    """Post the export; return the number of tries it took.

    Waits twice as long after each failed try. Raises UserError when the receiver refuses it (4xx),
    StorageError when it cannot be reached or keeps failing.
    """
    check_delivery(url, secret)
    manifest = manifest_of(export_folder)
    body, said = (export_folder / manifest.file).read_bytes(), json.dumps(asdict(manifest))
    headers = {
        "Content-Type": "application/octet-stream",
        "Idempotency-Key": manifest.id,
        "X-Segassist-Manifest": said,
        "X-Segassist-Signature": signature(secret, said, body),
    }
    problem = ""
    for tried in range(1, TRIES + 1):
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT)
        except httpx.TransportError as error:
            problem = str(error) or type(error).__name__
        else:
            if answer.is_success:
                return tried
            if answer.status_code < 500 and answer.status_code not in (408, 429):
                raise UserError(
                    f"webhook: {url} refused the export with status {answer.status_code}.",
                    f"webhook：{url}拒绝了导出，状态码{answer.status_code}。",
                )
            problem = f"status {answer.status_code}"
        if tried < TRIES:
            wait(FIRST_WAIT * 2 ** (tried - 1))
    raise StorageError(
        f"webhook: {url} did not take the export after {TRIES} tries ({problem}); try again later."
    )
