"""Answers that a browser keeps as a file."""

from __future__ import annotations

from urllib.parse import quote

from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send


class WholeFile(FileResponse):
    """A file, always whole: `Range` is not offered, and read past, as HTTP has it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        self.headers["Accept-Ranges"] = "none"
        ranges = (b"range", b"if-range")
        whole = [(name, value) for name, value in scope["headers"] if name.lower() not in ranges]
        await super().__call__({**scope, "headers": whole}, receive, send)


def attachment(name: str) -> dict[str, str]:
    """The header that names the file, in any script (RFC 6266)."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
