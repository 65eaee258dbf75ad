"""An export delivered to a web address: signed, retried, and safe to receive twice.

The operator names the addresses (`[webhooks]` of segassist.toml); who asks over HTTP names one of them, so that members
are sent nowhere else. At the command line an address may be given.

The body is the members file. Headers: `Idempotency-Key` (the export's id: the same at every try),
`X-Segassist-Manifest` (JSON, ASCII), `X-Segassist-Signature` (`sha256=` HMAC-SHA-256 of manifest + newline +
body with the shared secret), as receivers of GitHub's and Stripe's webhooks are used to.
"""

from __future__ import annotations

import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import httpx

from segments.errors import NotFoundError, StorageError, UserError
from segments.ports import Progress, silent
from warehouse.database import address_of
from warehouse.export import manifest_of

SECRET = "SEGASSIST_WEBHOOK_SECRET"
"""The environment variable that holds what deliveries are signed with."""

TRIES = 5
FIRST_WAIT = 0.5
TIMEOUT = 30.0


def signature(secret: str, manifest: str, body: bytes) -> str:
    """The value of the signature header."""
    return "sha256=" + hmac.new(secret.encode(), manifest.encode() + b"\n" + body, "sha256").hexdigest()


def webhook_of(webhooks: Mapping[str, str], name: str, secret: str = "") -> tuple[str, str]:
    """The address of one of the named webhooks, and the secret: that of the environment where none is given. Raises
    NotFoundError for a name that is none, UserError for an address or a secret that nothing can be delivered with,
    DataError for an environment variable that is not set."""
    if name not in webhooks:
        known = ", ".join(sorted(webhooks))
        raise NotFoundError(
            f"webhook: '{name}' is not known; webhooks are {known or 'none yet (see [webhooks] in segassist.toml)'}.",
            f"webhook：没有“{name}”；segassist.toml 的 [webhooks] 中配置的有：{known or '无'}。",
        )
    address, secret = address_of(webhooks[name], f"webhooks.{name}"), secret or os.environ.get(SECRET, "")
    check_delivery(address, secret)
    return address, secret


def check_delivery(url: str, secret: str) -> None:
    """Raises UserError for an address or a secret that nothing can be delivered with."""
    try:
        address = httpx.URL(url)
        whole = address.scheme in ("http", "https") and bool(address.host)
    except httpx.InvalidURL:
        whole = False
    if not whole or not secret:
        raise UserError(
            f"webhook: needs an http(s) address and a secret ({SECRET}).",
            f"webhook：需要 http(s) 地址和密钥（{SECRET}）。",
        )


def deliver(
    export_folder: Path,
    url: str,
    secret: str,
    wait: Callable[[float], None] = time.sleep,
    progress: Progress = silent,
) -> int:
    """Post the export; return the number of tries it took.

    Waits twice as long after each failed try. What `progress` raises, before a try, stops it. Raises UserError when the
    receiver refuses it (4xx), StorageError when it cannot be reached or keeps failing; neither shows more of the address
    than its host: the rest may be a secret.
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
    problem, host = "", httpx.URL(url).host
    for tried in range(1, TRIES + 1):
        progress(tried / (TRIES + 1), f"delivering to {host}, try {tried} of {TRIES}")
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT)
        except httpx.TransportError as error:
            problem = str(error) or type(error).__name__
        else:
            if answer.is_success:
                return tried
            if answer.status_code < 500 and answer.status_code not in (408, 429):
                raise UserError(
                    f"webhook: {host} refused the export with status {answer.status_code}.",
                    f"webhook：{host}拒绝了导出，状态码{answer.status_code}。",
                )
            problem = f"status {answer.status_code}"
        if tried < TRIES:
            wait(FIRST_WAIT * 2 ** (tried - 1))
    raise StorageError(
        f"webhook: {host} did not take the export after {TRIES} tries ({problem}); try again later.",
        f"webhook：{host}在{TRIES}次尝试后仍未接收导出（{problem}）；请稍后重试。",
    )
