"""The same conversation with both language model servers: the real embedded one, and the real vLLM on the CPU.

vLLM takes minutes to start and writes a few words a second on a CPU, so it is asked by `make vllm` only, which says
where it is in SEGASSIST_VLLM_PYTHON (its interpreter) and SEGASSIST_VLLM_WEIGHTS (the folder of `eval.adapter.unpack`).
"""

import json
import re

import httpx
import pytest

from assistant import llm as client
from assistant.app import Assistant
from assistant.sketch import asked, sketch_schema
from segments.canonical import fingerprint
from segments.codec import from_json
from serving.llm.server import LLMSettings, start
from serving.llm.weights import QWEN_1_5B, default_cache
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, fresh_workspace, shown_in, values
from tests.serving.processes import gone, group
from tests.serving.vllm_here import needed
from warehouse.store import Warehouse

pytestmark = [pytest.mark.llm, pytest.mark.timeout(3600)]

PATIENCE = 900.0
"""Seconds that one answer may take: vLLM on two busy cores."""


def embedded_settings() -> LLMSettings:
    if not (default_cache() / QWEN_1_5B.file).exists():
        pytest.skip("the embedded model is not there: run `make build`")
    return LLMSettings("embedded")


def vllm_settings() -> LLMSettings:
    python, weights = needed()
    return LLMSettings("vllm", str(weights / "model"), adapter=str(weights / "sketch"), python=python)


SERVERS = {"embedded": embedded_settings, "vllm": vllm_settings}


@pytest.fixture(scope="module", params=SERVERS)
def llm(request, tmp_path_factory):
    settings = SERVERS[request.param]()
    with start(settings, tmp_path_factory.mktemp("run"), seconds=1800) as server:
        yield server
    assert all(gone(pid) for pid in group(server.pid)), "a process of the server outlived it"


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", PATIENCE)


def chat(llm, said, schema=None, **options):
    body = {
        "model": llm.model,
        "messages": [{"role": "user", "content": said}],
        "temperature": 0,
        "seed": 7,
        "max_tokens": 40,
    }
    if schema is not None:
        form = {"name": "plan", "schema": schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    answer = httpx.post(f"{llm.base_url}/chat/completions", json=body | options, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


# Each asks for what its schema forbids.
HELD = {
    "enum": (
        closed(a={"enum": ["red", "blue"]}),
        'Answer {"a":"purple"}',
        lambda v: v["a"] in ("red", "blue"),
    ),
    "const": (closed(tool={"const": "define"}), 'Answer {"tool":"other"}', lambda v: v == {"tool": "define"}),
    "integer bounds": (
        closed(n={"type": "integer", "minimum": 1, "maximum": 365}),
        'Answer {"n":99999}',
        lambda v: 1 <= v["n"] <= 365,
    ),
    "nested arrays with maxItems": (
        closed(
            a={
                "type": "array",
                "maxItems": 2,
                "items": {"type": "array", "maxItems": 2, "items": {"enum": ["x"]}},
            }
        ),
        'Answer {"a":[["x","x","x"],["x","x","x"],["x"]]}',
        lambda v: len(v["a"]) <= 2 and all(len(inner) <= 2 for inner in v["a"]),
    ),
    "minItems": (
        closed(a={"type": "array", "items": {"enum": ["x"]}, "minItems": 2, "maxItems": 3}),
        'Answer {"a":[]}',
        lambda v: 2 <= len(v["a"]) <= 3,
    ),
    "anyOf of objects": (
        {
            "anyOf": [
                closed(tool={"const": "a"}, n={"type": "integer"}),
                closed(tool={"const": "b"}, s={"enum": ["u"]}),
            ]
        },
        'Answer {"tool":"b","n":4}',
        lambda v: v == {"tool": "b", "s": "u"} or (set(v) == {"tool", "n"} and v["tool"] == "a"),
    ),
    "oneOf in a property": (
        closed(v={"oneOf": [{"type": "integer"}, {"enum": ["gold"]}]}),
        'Answer {"v":"silver"}',
        lambda v: v["v"] == "gold" or isinstance(v["v"], int),
    ),
    "anchored pattern": (
        closed(d={"type": "string", "pattern": "^20[0-9]{2}-[0-9]{2}$"}),
        'Answer {"d":"March"}',
        lambda v: len(v["d"]) == 7 and v["d"].startswith("20"),
    ),
    "$ref": (
        {"$defs": {"c": closed(k={"enum": ["p"]})}, **closed(a={"$ref": "#/$defs/c"})},
        'Answer {"a":{"k":"z"}}',
        lambda v: v == {"a": {"k": "p"}},
    ),
    "no other properties, in this order": (
        closed(z={"enum": [1]}, a={"enum": [2]}),
        'Answer {"a":2,"b":3,"z":1}',
        lambda v: list(v) == ["z", "a"],
    ),
    "Chinese": (closed(v={"enum": ["汤", "啤酒"]}), '回答 {"v":"牛奶"}', lambda v: v["v"] in ("汤", "啤酒")),
}


@pytest.mark.parametrize("kind", HELD)
def test_a_schema_holds_against_a_request_to_break_it(llm, kind):
    schema, said, holds = HELD[kind]
    value = json.loads(chat(llm, said, schema)["choices"][0]["message"]["content"])
    assert holds(value), value


def test_the_same_request_gets_the_same_answer(llm):
    first, second = (chat(llm, "Name three fruits.", max_tokens=5) for _ in range(2))
    assert first["choices"][0]["message"]["content"] == second["choices"][0]["message"]["content"]
    assert first["usage"]["completion_tokens"] == 5
    assert first["choices"][0]["finish_reason"] == "length"


def test_both_write_the_messages_out_alike_and_stop_where_the_turn_ends(llm):
    """The count of tokens is the chat template's: a system message of its own, or another end, would show."""
    answer = chat(llm, "Answer with the one word yes.")
    assert answer["usage"]["prompt_tokens"] == 36
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert re.fullmatch(r"[Yy]es\.?", answer["choices"][0]["message"]["content"])


def test_words_are_streamed_and_their_tokens_counted(llm):
    pieces = [piece for piece in llm.chat.stream([("human", "Count from one to ten in words.")]) if piece]
    assert len(pieces) > 5
    assert "three" in "".join(pieces).lower()


def test_a_prompt_too_long_is_refused(llm):
    refused = httpx.post(
        f"{llm.base_url}/chat/completions",
        json={"model": llm.model, "messages": [{"role": "user", "content": "soup " * 9000}], "max_tokens": 5},
        timeout=PATIENCE,
    )
    assert refused.status_code == 400


def test_a_page_of_another_origin_may_not_read(llm):
    foreign = httpx.get(f"{llm.base_url}/models", headers={"Origin": "http://evil.example"}, timeout=60)
    assert foreign.headers.get("access-control-allow-origin", "") == ""


def read_before(llm) -> int:
    """Tokens of prompts that the server has not had to read again since it started."""
    if llm.backend == "embedded":
        again = chat(llm, INSTRUCTIONS + "Beer drinkers.", max_tokens=1, **client.PLAIN)
        return int(again["timings"]["cache_n"])
    metrics = httpx.get(f"{llm.base_url.removesuffix('/v1')}/metrics", timeout=60).text
    return int(
        sum(float(n) for n in re.findall(r"^vllm:prefix_cache_hits_total\{.*\} (\S+)$", metrics, re.M))
    )


INSTRUCTIONS = "You turn a marketer's words into a segment. " * 20
"""220 tokens: vLLM keeps prompts by blocks, on a CPU of 128 tokens."""


def test_what_begins_alike_is_read_once(llm):
    before = read_before(llm) if llm.backend == "vllm" else 0
    for said in ("Soup buyers.", "Wine buyers."):
        chat(llm, INSTRUCTIONS + said, max_tokens=1, **client.PLAIN)
    assert read_before(llm) - before >= 128


REQUEST = "wine buyers of last quarter who have not been in for a month"


def test_the_adapter_writes_the_sketch_that_it_has_learned(llm, demo_folder):
    tuned = llm.chat.tuned
    assert tuned is not None
    catalogue = Warehouse(demo_folder / "warehouse.duckdb").catalogue
    sketch, sure = tuned.weighed(asked(REQUEST), sketch_schema(catalogue, ("purchase",), ("purchase_30d",)))
    when = sketch["all_of"][0].pop("when")
    assert when.endswith("last quarter")  # "of last quarter" are the request's words too
    assert sketch == {
        "all_of": [
            {"event": "purchase", "items": "wine"},
            {"not": {"event": "purchase", "from_days_ago": 30}},
        ]
    }
    assert 0.02 < sure <= 1


def test_only_who_asks_for_the_adapter_gets_it(llm):
    said = [("system", asked(REQUEST)[0][1]), ("human", REQUEST)]
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(llm.chat.stream(said)))


def test_a_conversation_comes_to_the_same_segments(llm, demo_folder, tmp_path):
    """A segment, a refinement, one in Chinese, and a request that is refused: the model plans each."""
    assistant = Assistant.open(fresh_workspace(demo_folder, tmp_path), llm.chat)
    first = assistant.ask("who spent over $500 in the last 90 days?")
    edited = assistant.ask("only those with children", first.conversation)
    chinese = assistant.ask("最近90天消费超过500元的客户")
    refused = assistant.ask("write me a poem about the sea", first.conversation)
    gold = {"all_of": [BIG_SPENDERS, PARENTS]}
    for answer, definition in ((first, BIG_SPENDERS), (edited, gold), (chinese, BIG_SPENDERS)):
        assert answer.segment["hash"] == fingerprint(from_json(definition))
        assert values(answer.answer) <= shown_in(answer.evidence)
    assert f"**{first.segment['size']} customers**" in first.answer
    assert str(chinese.segment["size"]) in chinese.answer
    assert [call["name"] for call in edited.tool_calls] == ["refine_segment"]
    assert refused.segment is None or not refused.tool_calls
