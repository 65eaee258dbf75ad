"""The real embedded model over the OpenAI protocol: what the assistant relies on."""

import json

import httpx
import pytest

from assistant.llm import ADAPTER as SKETCHING
from assistant.llm import PLAIN
from segments.errors import OperatorError
from serving.llm.server import LLMSettings, running, start
from serving.llm.warm import warm
from serving.llm.weights import ADAPTER, QWEN_1_5B, default_cache

pytestmark = pytest.mark.llm

INSTRUCTIONS = "You turn a marketer's words into a segment. " * 8


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not (default_cache() / QWEN_1_5B.file).exists():
        pytest.skip("the embedded model is not there: run `make build`")
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def llm(folder):
    with start(LLMSettings("embedded", adapter="none"), folder) as server:
        yield server


def chat(llm, said, schema=None, system=None, **options):
    messages = [{"role": "system", "content": system}] if system else []
    body = {
        "messages": [*messages, {"role": "user", "content": said}],
        "temperature": 0,
        "seed": 7,
        "max_tokens": 40,
    }
    if schema is not None:
        form = {"name": "plan", "schema": schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    answer = httpx.post(f"{llm.base_url}/chat/completions", json=body | options, timeout=120)
    answer.raise_for_status()
    return answer.json()


def planned(llm, said, schema):
    return json.loads(chat(llm, said, schema)["choices"][0]["message"]["content"])


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
    value = planned(llm, said, schema)
    assert holds(value), value


def test_the_same_request_gets_the_same_answer(llm):
    first, second = (chat(llm, "Name three fruits.", max_tokens=12) for _ in range(2))
    assert first["choices"][0]["message"] == second["choices"][0]["message"]
    assert first["usage"]["completion_tokens"] <= 12


def test_words_are_streamed(llm):
    # At temperature 0: drawn at random, the answer is now and then a single word.
    asked = [{"role": "user", "content": "Count from one to ten in words."}]
    body = {"messages": asked, "max_tokens": 12, "stream": True, "temperature": 0}
    with httpx.stream("POST", f"{llm.base_url}/chat/completions", json=body, timeout=60) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    pieces = [json.loads(line)["choices"] for line in lines[:-1]]
    assert sum(bool(choice and choice[0]["delta"].get("content")) for choice in pieces) > 3


def test_the_instructions_are_read_once_even_when_another_prompt_comes_between(llm):
    first = chat(llm, "Soup buyers.", system=INSTRUCTIONS, max_tokens=1)["timings"]
    chat(llm, "Something quite different.", system="Write one sentence.", max_tokens=1)
    again = chat(llm, "Beer drinkers.", system=INSTRUCTIONS, max_tokens=1)["timings"]
    assert first["prompt_n"] > 70
    assert again["cache_n"] > 70
    assert again["prompt_n"] < 30


def test_prompts_are_not_shown_to_others(llm, folder):
    chat(llm, "Zanzibar marmalade.", max_tokens=1)
    root = llm.base_url.removesuffix("/v1")
    assert httpx.get(f"{root}/slots").status_code == 501
    log = (folder / "llm-embedded.log").read_text(errors="replace")
    assert "Zanzibar" not in log
    foreign = httpx.get(f"{llm.base_url}/models", headers={"Origin": "http://evil.example"})
    assert foreign.headers.get("access-control-allow-origin", "") == ""


def test_another_command_finds_the_server(llm, folder):
    found = running(folder)
    assert found is not None
    assert (found.base_url, found.pid, found.model) == (
        llm.base_url,
        llm.pid,
        QWEN_1_5B.file.removesuffix(".gguf"),
    )
    found.stop()
    assert running(folder) is not None


def test_a_new_start_takes_the_read_instructions_from_disk(folder):
    """Also with a model of one's own, given by its path."""
    settings = LLMSettings("embedded", str(default_cache() / QWEN_1_5B.file))
    messages = [("system", INSTRUCTIONS), ("human", "")]
    with start(settings, folder / "own") as first:
        assert warm(first, messages) is False
    with start(settings, folder / "own") as second:
        states = second.states
        assert warm(second, messages) is True
        timings = chat(second, "Soup buyers.", system=INSTRUCTIONS, max_tokens=1, **PLAIN)["timings"]
        assert timings["cache_n"] > 70
        kept = list(states.iterdir())
        kept[0].write_bytes(kept[0].read_bytes()[:1000])
        assert warm(second, messages) is False, "a damaged state is read anew"
        assert [path.name for path in states.iterdir()] == [kept[0].name]
    assert running(folder / "own") is None


@pytest.fixture(scope="module")
def adapted(folder):
    with start(LLMSettings("embedded"), folder / "adapted") as server:
        yield server


REQUEST = "wine buyers of last quarter who have not been in for a month"


def test_the_packaged_adapter_is_served_and_found(adapted):
    assert adapted.chat.adapter == ADAPTER.stem
    assert adapted.chat.tuned is not None
    assert adapted.chat.identity["adapter"] == ADAPTER.stem


def test_only_who_asks_for_the_adapter_gets_it(adapted, llm):
    plain = chat(llm, REQUEST, system="Request to sketch.")["choices"][0]["message"]["content"]
    beside = chat(adapted, REQUEST, system="Request to sketch.")["choices"][0]["message"]["content"]
    sketched = chat(adapted, REQUEST, system="Request to sketch.", **SKETCHING)["choices"][0]["message"][
        "content"
    ]
    assert plain == beside != sketched
    assert json.loads(sketched), "a sketch is JSON without being forced to"


def test_the_instructions_stay_read_while_the_adapter_works(adapted):
    chat(adapted, "Soup buyers.", system=INSTRUCTIONS, max_tokens=1, **PLAIN)
    chat(adapted, REQUEST, system="Request to sketch.", **SKETCHING)
    timings = chat(adapted, "Beer buyers.", system=INSTRUCTIONS, max_tokens=1, **PLAIN)["timings"]
    assert timings["cache_n"] > 70


def test_without_an_adapter_there_is_none(folder):
    with start(LLMSettings("embedded", adapter="none"), folder / "plain") as server:
        assert server.chat.tuned is None


def test_an_adapter_that_is_not_there_is_named(folder):
    with pytest.raises(OperatorError, match=r"llm_adapter: /nowhere/sketch\.gguf does not exist"):
        start(LLMSettings("embedded", adapter="/nowhere/sketch.gguf"), folder / "none")


def test_an_adapter_that_nobody_would_ask_for_is_named(folder, tmp_path):
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    with pytest.raises(OperatorError, match=r"mine\.gguf must begin with 'sketch'"):
        start(LLMSettings("embedded", adapter=str(tmp_path / "mine.gguf")), folder / "none")
