"""A web address that takes what is delivered to it, or does not."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers with the statuses it is given, then 200; keeps what it got."""

    url: str
    statuses: list[int]
    got: list[tuple[dict[str, str], bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((dict(self.headers), body))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.end_headers()

    def log_message(self, *_args):
        pass


@contextmanager
def receiving() -> Iterator[type[Receiver]]:
    """A receiver at work."""
    handler = type("Once", (Receiver,), {"statuses": [], "got": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_address[1]}/take?token=hidden"
    yield handler
    server.shutdown()
    server.server_close()
