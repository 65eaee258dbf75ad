"""Traces of a turn: every step, token counts, one trace from the request on, and nothing that was asked."""

import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from assistant import tracing
from assistant.llm import OpenAIChat
from segments.errors import LLMUnavailableError
from serving.http.api import create_api
from serving.service import Service
from serving.tracing import asked_for, make_provider

QUESTION = "tell me about those who bought beer in the last 30 days"
"""It leaves the language model two plans, so that it is asked."""
STEPS = ["link", "plan", "check", "run", "answer"]


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    return exporter


@pytest.fixture(scope="module")
def folders(make_workspace, tmp_path_factory):
    """A workspace that keeps questions out of traces, and one that does not."""
    return {
        shown: make_workspace(tmp_path_factory.mktemp("traced"), "trace_content = true\n" if shown else "")
        for shown in (False, True)
    }


@pytest.fixture(scope="module")
def clients(folders, fake_llm):
    made = {
        shown: Service.open(folder, OpenAIChat(fake_llm.base_url, "stand-in"))
        for shown, folder in folders.items()
    }
    return {shown: TestClient(create_api(s), base_url="http://localhost") for shown, s in made.items()}


@pytest.fixture
def ask(clients, fake_llm, spans):
    fake_llm.reset()

    def ask(path: str = "/v1/ask", shown: bool = False, **headers: str):
        body = {"question": QUESTION, "conversation": f"secret-name-{uuid.uuid4().hex}"}
        answer = clients[shown].post(path, json=body, headers=headers)
        assert answer.status_code == 200
        return {span.name: span for span in spans.get_finished_spans()}

    return ask


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/ask/stream"])
def test_a_turn_is_one_trace_of_its_steps_under_the_request(ask, path):
    found = ask(path)
    assert set(found) == {f"POST {path}", "turn", *STEPS, "chat stand-in"}
    request, turn = found[f"POST {path}"], found["turn"]
    assert turn.parent.span_id == request.context.span_id
    assert all(found[step].parent.span_id == turn.context.span_id for step in STEPS)
    assert found["chat stand-in"].parent.span_id == found["plan"].context.span_id
    assert request.attributes["http.route"] == path
    assert request.attributes["http.response.status_code"] == 200
    assert found["plan"].attributes["segassist.tool"] == "define_segment"
    assert found["run"].attributes["segassist.tools"] == ("define_segment",)
    assert found["link"].attributes["segassist.language"] == "en"


def test_the_model_calls_tokens_are_counted(ask):
    chat = ask()["chat stand-in"]
    assert chat.attributes["gen_ai.usage.input_tokens"] == 11
    assert chat.attributes["gen_ai.usage.output_tokens"] == 7
    assert chat.attributes["gen_ai.request.model"] == "stand-in"


def test_a_callers_own_trace_goes_on(ask):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    found = ask(traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
    assert {f"{span.context.trace_id:032x}" for span in found.values()} == {trace_id}


def everything(found) -> str:
    return " ".join(
        f"{s.name} {dict(s.attributes)} {s.status.description} {s.events}" for s in found.values()
    )


def test_nothing_that_was_asked_is_in_a_trace_unless_it_is_wanted(ask, spans):
    kept = everything(ask())
    for word in ("beer", "secret-name", "local", "days"):
        assert word not in kept.lower()
    spans.clear()
    found = ask(shown=True)
    assert found["turn"].attributes["segassist.question"] == QUESTION
    assert found["turn"].attributes["segassist.conversation"].startswith("secret-name")
    assert found["POST /v1/ask"].attributes["user.id"] == "local"


def test_an_error_is_a_code_in_a_trace_and_not_its_words(clients, fake_llm, spans):
    fake_llm.reset()
    fake_llm.status = 500
    answer = clients[False].post("/v1/ask", json={"question": QUESTION})
    assert answer.status_code == 503
    found = {span.name: span for span in spans.get_finished_spans()}
    for name in ("turn", "plan", "chat stand-in"):
        assert found[name].attributes["error.type"] == LLMUnavailableError.code
        assert not found[name].status.is_ok
    assert "beer" not in everything(found)


def test_a_path_is_never_in_a_trace(clients, spans):
    clients[False].get("/v1/segments/our%20secret%20campaign")
    found = {span.name: span for span in spans.get_finished_spans()}
    assert set(found) == {"GET /v1/segments/{name:path}"}
    assert "secret" not in everything(found)


def test_traces_are_off_unless_the_environment_names_a_collector(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    assert not asked_for()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert asked_for()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not asked_for()


def test_spans_arrive_at_a_collector(monkeypatch):
    got = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    provider = make_provider()
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    with tracing.span("turn", tool="define_segment", left_out=None):
        pass
    assert provider.force_flush()
    provider.shutdown()
    server.shutdown()
    server.server_close()
    path, body = got[0]
    sent = ExportTraceServiceRequest.FromString(body).resource_spans[0]
    assert path == "/v1/traces"
    assert {a.key: a.value.string_value for a in sent.resource.attributes}[
        "service.name"
    ] == "segment-assistant"
    assert [span.name for span in sent.scope_spans[0].spans] == ["turn"]
    assert [a.key for a in sent.scope_spans[0].spans[0].attributes] == ["segassist.tool"]
