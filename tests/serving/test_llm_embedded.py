"""What is the embedded server's own; what it has in common with vLLM is in test_llm_protocol.py."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from assistant.llm import ADAPTER as SKETCHING
from assistant.llm import PLAIN, tuned
from assistant.sketch import asked
from segments.errors import OperatorError
from serving.llm.server import LLMSettings, running, start
from serving.llm.warm import warm
from serving.llm.weights import ADAPTER, QWEN_1_5B, default_cache

pytestmark = pytest.mark.llm

ANYTHING = {"type": "object"}
INSTRUCTIONS = "You turn a marketer's words into a segment. " * 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not (default_cache() / QWEN_1_5B.file).exists():
        pytest.skip("the embedded model is not there: run `make build`")
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def llm(folder):
    with start(LLMSettings("embedded", adapter="none"), folder) as server:
        yield server


def chat(llm, said, system=None, **options):
    messages = [{"role": "system", "content": system}] if system else []
    body = {
        "messages": [*messages, {"role": "user", "content": said}],
        "temperature": 0,
        "seed": 7,
        "max_tokens": 40,
    }
    answer = httpx.post(f"{llm.base_url}/chat/completions", json=body | options, timeout=120)
    answer.raise_for_status()
    return answer.json()


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


REQUESTS = (
    "wine buyers last 30 days",
    "households with kids",
    "who redeemed a coupon this year",
    "people over 55 who buy beer",
    "no visit in 60 days",
    "top 10% by spend",
)


def test_each_of_two_at_once_gets_the_answer_to_its_own_message(folder):
    """llama.cpp's prompt states in memory answered one message with another's sketch when two came together."""
    with start(LLMSettings("embedded"), folder / "adapted") as server:
        model = tuned(server.chat)
        assert model is not None

        def sketch(request: str) -> str:
            said, _ = model.weighed(asked(request), ANYTHING)
            return json.dumps(said)

        alone = [sketch(request) for request in REQUESTS]
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(sketch, REQUESTS))
            turned = list(pool.map(sketch, REQUESTS[::-1]))
    assert together == alone
    assert turned == alone[::-1]
