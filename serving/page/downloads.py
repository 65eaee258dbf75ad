"""Files that the page makes for its reader. They are held in memory and gone once they are fetched: a file on the disk
would hold customers' ids outside the workspace, where neither encryption nor `privacy erase` reaches it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from fastapi import FastAPI, Request
from fastapi.responses import Response

from segments.errors import NotFoundError
from serving.http.files import attachment
from serving.http.guard import caller_of

SECONDS = 60.0
"""How long a file waits for the browser, which fetches it at once."""
FETCH = """address => {
  if (!address) return;
  const link = Object.assign(document.createElement('a'), {href: address, download: ''});
  document.body.append(link);
  link.click();
  link.remove();
}"""
"""The script that has the browser fetch the file at an address; nothing without one."""


@dataclass(frozen=True)
class Held:
    """A file, whose it is, and when (on the clock's seconds) it is dropped."""

    owner: str
    name: str
    media: str
    content: bytes
    until: float


class Downloads:
    """The files of one page, each fetched once, by the one who made it."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        """path: where the page is, with a slash at its end."""
        self.path, self._clock = f"{path}downloads/", clock
        self._held: dict[str, Held] = {}
        self._lock = Lock()

    def offer(self, owner: str, name: str, media: str, content: bytes) -> str:
        """Hold a file of that name; its address."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._drop_old()
            self._held[token] = Held(owner, name, media, content, self._clock() + SECONDS)
        return self.path + token

    def take(self, owner: str, token: str) -> Held:
        """The file, which is then held no more. Raises NotFoundError, also for another's."""
        with self._lock:
            self._drop_old()
            if token not in self._held or self._held[token].owner != owner:
                raise NotFoundError(
                    "This download is over; click the button again.", "这次下载已结束；请再点一次按钮。"
                )
            return self._held.pop(token)

    def _drop_old(self) -> None:
        now = self._clock()
        self._held = {token: held for token, held in self._held.items() if held.until > now}


def add_downloads(app: FastAPI, downloads: Downloads) -> None:
    """The addresses that `offer` gives."""

    @app.get(f"{downloads.path}{{token}}", include_in_schema=False)
    def download(token: str, request: Request) -> Response:
        held = downloads.take(caller_of(request.scope).name, token)
        headers = attachment(held.name) | {"Cache-Control": "no-store"}
        return Response(held.content, media_type=held.media, headers=headers)
