"""Stand-ins for a language model: a queue of replies in the process, and a server that speaks the protocol."""

import json
import select
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = str | dict[str, Any] | Exception
"""A tool's name (the plan is then the first one of that tool that the schema allows), a plan, or an error."""


def allowed_plan(schema: dict[str, Any], tool: str = "") -> dict[str, Any]:
    """The first plan of a tool that the turn's schema allows; without a tool: an edit, a segment, or what is left."""
    offered = {option["properties"]["tool"]["const"]: option["properties"] for option in schema["anyOf"]}
    if not tool:
        wanted = [name for name in ("refine_segment", "define_segment", "refuse") if name in offered]
        tool = (wanted or list(offered))[0]
    assert tool in offered, f"the turn offers {', '.join(offered)}, not {tool}"
    return {name: _first(kind) for name, kind in offered[tool].items()}


def _first(kind: dict[str, Any]) -> Any:
    if "items" in kind:
        return kind["items"]["enum"][:1]
    return kind["const"] if "const" in kind else kind["enum"][0]


@dataclass
class ScriptedModel:
    """A `ChatModel` that says what the test queued, and words nothing anew. `asked` keeps the ends of the prompts."""

    replies: list[Reply] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(messages[-1][1])
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return allowed_plan(schema, reply) if isinstance(reply, str) else reply

    def stream(self, _messages: list[tuple[str, str]]) -> Iterator[str]:
        yield from self.words


class FakeLLM:
    """An OpenAI-protocol server on a free port. It plans with the first tool of `tools` that is offered.

    raw: said instead of a plan, when given. wait: seconds before each answer. words: its free text.
    status: of its HTTP answers. cut: it dies within its answer. left: set once somebody went before it had answered.
    """

    def __init__(self) -> None:
        self.reset()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Back to plain manners."""
        self.tools: tuple[str, ...] = ()
        self.raw, self.wait, self.words, self.status = "", 0.0, "They came often once.", 200
        self.cut, self.left = False, threading.Event()

    def reply(self, asked: dict[str, Any]) -> str:
        """The text of a completion."""
        if "response_format" not in asked:
            return self.words
        schema = asked["response_format"]["json_schema"]["schema"]
        offered = [option["properties"]["tool"]["const"] for option in schema["anyOf"]]
        wanted = next((tool for tool in self.tools if tool in offered), "")
        return self.raw or json.dumps(allowed_plan(schema, wanted))

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler(llm: FakeLLM) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(json.dumps({"object": "list", "data": [{"id": "fake", "object": "model"}]}))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if select.select([self.connection], [], [], llm.wait)[0]:
                llm.left.set()
                return
            if llm.cut:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices"')
                self.wfile.flush()
                self.connection.close()
                return
            text = llm.reply(asked)
            if asked.get("stream"):
                chunks = [
                    _choice({"delta": {"content": text}}),
                    _choice({"delta": {}, "finish_reason": "stop"}),
                ]
                lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
                self._send("".join(lines) + "data: [DONE]\n\n", "text/event-stream")
                return
            message = {"role": "assistant", "content": text}
            usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
            self._send(json.dumps(_choice({"message": message, "finish_reason": "stop"}) | {"usage": usage}))

        def _send(self, text: str, kind: str = "application/json") -> None:
            body = text.encode()
            self.send_response(llm.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _choice(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, **part}],
    }
