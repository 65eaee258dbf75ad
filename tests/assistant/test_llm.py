"""The OpenAI client against a real local HTTP server: what is sent, and every way the server can fail."""

import json
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant import llm
from assistant.llm import OpenAIChat, parse_object
from assistant.wanted import LOOK_SECONDS, wanted_until
from segments.errors import GoneError, LLMUnavailableError, ModelRetryError

MESSAGES = [("system", "Plan."), ("human", "who has children?"), ("ai", "{}"), ("human", "and soup?")]
SCHEMA = {"type": "object", "properties": {"tool": {"enum": ["clarify", "refuse"]}}, "required": ["tool"]}


class Server(ThreadingHTTPServer):
    """Answers every POST with `body`, and keeps what was asked.

    cut: bytes announced but never sent. seconds: waited before the answer; `left` says that who asked went meanwhile.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.kind, self.body, self.cut, self.seconds = 200, "application/json", b"", 0, 0.0
        self.asked: list[dict] = []
        self.left = threading.Event()
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        self.server.paths.append(self.path)
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if select.select([self.connection], [], [], self.server.seconds)[0]:
            self.server.left.set()
            return
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(self.server.body) + self.server.cut))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    http = Server()
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield http
    http.shutdown()
    http.server_close()
    thread.join()


def completion(content, finish="stop", **changed) -> bytes:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return json.dumps(body | changed).encode()


def chunk(text) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def failure(call) -> str:
    """The sentence of an LLMUnavailableError: one line that names the server."""
    with pytest.raises(LLMUnavailableError) as caught:
        call()
    said = str(caught.value)
    assert said.startswith("The language model at http://127.0.0.1:")
    assert said.endswith(".")
    assert "\n" not in said
    assert caught.value.exit_status == 4
    return said


def ask(url):
    return OpenAIChat(url).json(MESSAGES, SCHEMA)


def test_the_answer_is_the_json_object(server):
    server.body = completion('{"tool": "clarify"}')
    assert ask(server.url) == {"tool": "clarify"}


def test_the_schema_the_budget_and_the_messages_are_sent(server):
    server.body = completion('{"tool": "clarify"}')
    OpenAIChat(server.url, "qwen").json(MESSAGES, SCHEMA)
    (sent,) = server.asked
    assert server.paths == ["/v1/chat/completions"]
    assert sent["response_format"]["type"] == "json_schema"
    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert sent.get("max_tokens", sent.get("max_completion_tokens")) == llm.PLAN_TOKENS
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("qwen", 0, 7)
    roles = {"human": "user", "ai": "assistant", "system": "system"}
    assert [(m["role"], m["content"]) for m in sent["messages"]] == [(roles[r], t) for r, t in MESSAGES]


def test_words_come_piece_by_piece_within_their_budget(server):
    server.kind = "text/event-stream"
    server.body = chunk("Win ") + chunk("them back.") + b"data: [DONE]\n\n"
    assert "".join(OpenAIChat(server.url).stream(MESSAGES)) == "Win them back."
    (sent,) = server.asked
    assert sent["stream"] is True
    assert "response_format" not in sent
    assert sent.get("max_tokens", sent.get("max_completion_tokens")) == llm.PHRASE_TOKENS


# --- What need not be asked, or is wanted no more -----------------------------------------------


def shape(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


LEAVES_ONE = {
    "a tool": (shape(tool={"const": "clarify"}), {"tool": "clarify"}),
    "one of one": ({"anyOf": [shape(tool={"const": "clarify"})]}, {"tool": "clarify"}),
    "a segment": (
        {"anyOf": [shape(tool={"const": "define_segment"}, segment={"enum": ["described"]})]},
        {"tool": "define_segment", "segment": "described"},
    ),
    "an edit": (
        shape(edits={"type": "array", "items": {"enum": ["e1"]}, "minItems": 1, "maxItems": 1}),
        {"edits": ["e1"]},
    ),
}


@pytest.mark.parametrize(("schema", "answer"), LEAVES_ONE.values(), ids=LEAVES_ONE)
def test_a_schema_that_leaves_one_answer_is_not_asked(server, schema, answer):
    assert OpenAIChat(server.url).json(MESSAGES, schema) == answer
    assert not server.asked


LEAVES_MORE = {
    "two tools": {"anyOf": [shape(tool={"const": "clarify"}), shape(tool={"const": "refuse"})]},
    "two segments": shape(tool={"const": "save_segment"}, segment={"enum": ["described", "current"]}),
    "two edits": shape(
        edits={"type": "array", "items": {"enum": ["e1", "e2"]}, "minItems": 1, "maxItems": 1}
    ),
    "one edit or none": shape(edits={"type": "array", "items": {"enum": ["e1"]}, "maxItems": 1}),
    "any text": shape(words={"type": "string"}),
    "a field that may be left out": {"type": "object", "properties": {"tool": {"const": "clarify"}}},
}


@pytest.mark.parametrize("schema", LEAVES_MORE.values(), ids=LEAVES_MORE)
def test_a_schema_that_leaves_a_choice_is_asked(server, schema):
    server.body = completion('{"words": "asked"}')
    assert OpenAIChat(server.url).json(MESSAGES, schema) == {"words": "asked"}
    assert len(server.asked) == 1


def test_a_call_that_nobody_waits_for_is_broken_off(server):
    """The server sees the connection close long before it would have answered, and so may stop."""
    server.body, server.seconds = completion('{"tool": "clarify"}'), 30
    began = time.monotonic()
    with wanted_until(lambda: bool(server.asked)), pytest.raises(GoneError):
        ask(server.url)
    assert server.left.wait(10), "the server still waited to be heard"
    assert time.monotonic() - began < 20


def test_a_call_is_not_broken_off_for_who_stays(server):
    server.body, server.seconds = completion('{"tool": "clarify"}'), 2 * LOOK_SECONDS
    with wanted_until(lambda: False):
        assert ask(server.url) == {"tool": "clarify"}


# --- The model's mistakes ----------------------------------------------------------------------


@pytest.mark.parametrize("content", ["hello", '{"tool": "cla', "", None, "{'tool': 1}"])
def test_an_answer_that_is_not_json_is_the_models_mistake(server, content):
    server.body = completion(content)
    with pytest.raises(ModelRetryError, match="not valid JSON"):
        ask(server.url)


@pytest.mark.parametrize("content", ["[1]", '"clarify"', "3", "null", "true"])
def test_json_that_is_no_object_is_the_models_mistake(server, content):
    server.body = completion(content)
    with pytest.raises(ModelRetryError, match="not a JSON object"):
        ask(server.url)


def test_an_answer_cut_off_by_its_budget_is_the_models_mistake(server):
    server.body = completion('{"tool": "cla', finish="length")
    with pytest.raises(ModelRetryError):
        ask(server.url)


def test_parse_object_says_what_was_wrong():
    assert parse_object(' {"a": [1]} ') == {"a": [1]}
    with pytest.raises(ModelRetryError, match="Expecting value"):
        parse_object("{a: 1}"[1:])


# --- The server's ------------------------------------------------------------------------------


def test_nobody_listening_says_how_to_start_one():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    said = failure(lambda: ask(url))
    assert "cannot be reached" in said
    assert "segassist serve llm" in said
    assert url in said


def test_a_server_that_is_too_slow_is_given_up(server, monkeypatch):
    monkeypatch.setattr(llm, "TIMEOUT_SECONDS", 0.3)
    server.body, server.seconds = completion("{}"), 2
    began = time.monotonic()
    assert "did not answer within" in failure(lambda: ask(server.url))
    assert time.monotonic() - began < 1.9
    assert len(server.asked) == 1, "it was asked again"


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 503])
def test_a_refusal_quotes_the_server(server, status):
    server.status, server.body = status, b'{"error": {"message": "the grammar is too large"}}'
    said = failure(lambda: ask(server.url))
    assert "refused the request" in said
    assert str(status) in said
    assert "the grammar is too large" in said
    assert len(server.asked) == 1, "it was asked again"


def test_an_error_page_is_not_quoted_at_length(server):
    server.status, server.kind, server.body = 502, "text/html", b"<html>" + b"Bad gateway. " * 500
    assert len(failure(lambda: ask(server.url))) < 400


def test_a_body_that_breaks_off_is_the_servers_fault(server):
    server.body = completion('{"tool": "clarify"}')[:80]
    server.cut = 100
    failure(lambda: ask(server.url))


OUT_OF_PROTOCOL = {
    "half a JSON body": ("application/json", completion("{}")[:60]),
    "no body": ("application/json", b""),
    "a web page": ("text/html", b"<html>hello</html>"),
    "plain text": ("text/plain", b"hello"),
    "a JSON text": ("application/json", b'"hello"'),
    "a JSON list": ("application/json", b"[]"),
    "an empty object": ("application/json", b"{}"),
    "no choices": ("application/json", completion("{}", choices=[])),
}


@pytest.mark.parametrize(("kind", "body"), OUT_OF_PROTOCOL.values(), ids=OUT_OF_PROTOCOL)
def test_an_answer_out_of_protocol_is_the_servers_fault(server, kind, body):
    server.kind, server.body = kind, body
    failure(lambda: ask(server.url))


BROKEN_STREAMS = {
    "it breaks off": (chunk("Win "), 50),
    "an error inside": (chunk("Win ") + b'data: {"error": {"message": "out of memory"}}\n\n', 0),
    "nonsense inside": (chunk("Win ") + b"data: {nonsense\n\n", 0),
}


@pytest.mark.parametrize(("body", "cut"), BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_a_stream_that_goes_wrong_is_the_servers_fault(server, body, cut):
    server.kind, server.body, server.cut = "text/event-stream", body, cut
    failure(lambda: list(OpenAIChat(server.url).stream(MESSAGES)))


def test_a_stream_that_is_refused_or_not_reached_is_the_servers_fault(server):
    server.status, server.body = 500, b"{}"
    failure(lambda: list(OpenAIChat(server.url).stream(MESSAGES)))
    failure(lambda: list(OpenAIChat("http://127.0.0.1:9/v1").stream(MESSAGES)))


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/v1"])
def test_an_address_that_is_none_is_told(url):
    with pytest.raises(LLMUnavailableError, match="cannot be reached"):
        ask(url)
