"""A stand-in for a language model, for load tests only: it answers at once with the first plan that the turn's schema
allows. It understands nothing, and no quality may be measured with it.

python -m eval.bench.standin PORT
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "stand-in (answers the first plan that is allowed; no language model)"
WANTED = ("refine_segment", "define_segment", "refuse")


def first_plan(schema: dict[str, Any]) -> dict[str, Any]:
    """The first plan of a schema: an edit or a segment, where there is one."""
    if "anyOf" not in schema:  # a message to be put into plainer words: none
        return dict.fromkeys(schema["properties"], "")
    offered = {option["properties"]["tool"]["const"]: option["properties"] for option in schema["anyOf"]}
    tool = next((name for name in WANTED if name in offered), next(iter(offered)))
    return {name: _first(kind) for name, kind in offered[tool].items()}


def _first(kind: dict[str, Any]) -> Any:
    if "items" in kind:
        return kind["items"]["enum"][:1]
    return kind["const"] if "const" in kind else kind["enum"][0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "stand-in", "object": "model"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        schema = asked.get("response_format", {}).get("json_schema", {}).get("schema")
        text = json.dumps(first_plan(schema)) if schema else "They shop often."
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        head = {"id": "1", "object": "chat.completion", "created": 0, "model": "stand-in"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        self._send(head | {"choices": [choice], "usage": usage})

    def _send(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
