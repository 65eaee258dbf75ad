"""A fake language model with scripted answers, and the real demo workspace under a folder of its own."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import tool_reading
from assistant.app import Answer, Assistant
from assistant.disclosure import EVERYBODY, Viewer
from assistant.grounding import numbers_in
from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.workspace import open_workspace
from segments.codec import from_json
from segments.errors import ModelRetryError
from tests.warehouse.conftest import postgres_server  # noqa: F401 - a fixture

SHARED = (
    "warehouse.duckdb",
    "indexes",
    "models",
    "segassist.toml",
    "ready.json",
    "vault.key",
    "vault.parquet",
)
"""What a conversation only reads; state.sqlite and conversations.sqlite are made anew."""

Reply = dict[str, Any] | Exception | Callable[[dict[str, Any]], Any]
"""An answer, an error to raise, or a function of the turn's schema that gives one of the two."""


class SketchingModel:
    """A FAKE adapted model: it has one sketch for every message, or one for each time that it is asked (the last one
    from then on), and is as sure of it as the test says. tool: which tool it reads in every message; None: none."""

    def __init__(
        self,
        sketch: dict[str, Any] | Exception | list[dict[str, Any] | Exception],
        sure: float,
        tool: dict[str, Any] | None = None,
    ) -> None:
        self.sketches, self.sure = sketch if isinstance(sketch, list) else [sketch], sure
        self.asked: list[list[tuple[str, str]]] = []
        self.tool, self.asked_tools = tool, list[str]()

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        if messages == tool_reading.asked(messages[-1][1]):
            self.asked_tools.append(messages[-1][1])
            if self.tool is None:
                raise ModelRetryError("Your answer was no tool.")
            assert fits(self.tool, schema), f"{self.tool} is no answer of {schema}"
            return self.tool, self.sure
        self.asked.append(messages)
        sketch = self.sketches[min(draw, len(self.sketches) - 1)]
        if isinstance(sketch, Exception):
            raise sketch
        return sketch, self.sure


class ScriptedModel:
    """A FAKE `assistant.llm.ChatModel`: answers from a queue, and keeps every prompt and schema it was given.

    As a server that honours the schema would, it never gives an answer outside it, unless `lawless`.
    sketch, tool: what its adapter makes of any message, with the probability `sure`; without them it has no adapter.
    """

    def __init__(self, *replies: Reply, **how: Any) -> None:
        self.script(*replies, **how)

    def script(
        self,
        *replies: Reply,
        lawless: bool = False,
        says: str | Exception = "Win them back!",
        sketch: dict[str, Any] | Exception | list[dict[str, Any] | Exception] | None = None,
        sure: float = 0.9,
        tool: dict[str, Any] | None = None,
    ) -> None:
        """Start anew: these replies come next, and nothing has been asked."""
        self.replies, self.lawless, self.says = deque(replies), lawless, says
        if sketch is None and tool is not None:
            sketch = ModelRetryError("Your answer was no sketch.")
        self.tuned = None if sketch is None else SketchingModel(sketch, sure, tool)
        self.prompts: list[list[tuple[str, str]]] = []
        self.schemas: list[dict[str, Any]] = []

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        self.prompts.append(messages)
        self.schemas.append(schema)
        assert self.replies, f"nothing is scripted for: {messages[-1][1]}"
        reply = self.replies.popleft()
        answer = reply(schema) if callable(reply) else reply
        if isinstance(answer, Exception):
            raise answer
        assert self.lawless or fits(answer, schema), f"{answer} is outside the schema of this turn: {schema}"
        return answer

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        self.prompts.append(messages)
        if isinstance(self.says, Exception):
            raise self.says
        yield from re.split(r"(?<=\s)", self.says)

    @property
    def turn(self) -> str:
        """The changing end of the last prompt."""
        return self.prompts[-1][-1][1]


def offered(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of each tool that a turn's schema offers."""
    return {kind["properties"]["tool"]["const"]: kind["properties"] for kind in schema["anyOf"]}


def fits(answer: Any, schema: dict[str, Any]) -> bool:
    """Whether an answer meets the part of JSON Schema that the assistant uses."""
    if "anyOf" in schema:
        return any(fits(answer, kind) for kind in schema["anyOf"])
    if "const" in schema:
        return bool(answer == schema["const"])
    if "enum" in schema:
        return answer in schema["enum"]
    if schema["type"] == "array":
        right = isinstance(answer, list) and schema.get("minItems", 0) <= len(answer) <= schema["maxItems"]
        return right and all(fits(item, schema["items"]) for item in answer)
    keys = isinstance(answer, dict) and answer.keys() == schema["properties"].keys()
    return keys and all(fits(answer[name], kind) for name, kind in schema["properties"].items())


def call(tool: str, pick: int = 0, **fixed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A reply that calls an offered tool, with whatever the schema asks for.

    A choice takes the `pick`-th value; on which segment: the current one if there is one, except to define
    one. A list takes its first value. fixed: values of the answer as they are.
    """

    def reply(schema: dict[str, Any]) -> dict[str, Any]:
        assert tool in offered(schema), f"{tool} is not offered, only {', '.join(offered(schema))}"
        answer = {}
        for name, kind in offered(schema)[tool].items():
            if kind.get("type") == "array":
                answer[name] = kind["items"]["enum"][:1]
            elif "const" in kind:
                answer[name] = kind["const"]
            else:
                answer[name] = "current" if "current" in kind["enum"] and not pick else kind["enum"][pick]
        return answer | fixed

    return reply


def fresh_workspace(demo: Path, folder: Path) -> Path:
    """The demo workspace's data under a new folder, with nothing saved and nothing said."""
    for name in SHARED:
        (folder / name).symlink_to(demo / name)
    return folder


@pytest.fixture
def workspace(demo_folder, tmp_path) -> Path:
    return fresh_workspace(demo_folder, tmp_path)


@pytest.fixture(scope="session")
def opened(demo_folder, tmp_path_factory) -> Rooms:
    return Rooms(open_workspace(fresh_workspace(demo_folder, tmp_path_factory.mktemp("demo"))))


@pytest.fixture
def rooms(opened) -> Iterator[Rooms]:
    """The demo's rooms, opened once; what a test saves is deleted after it."""
    yield opened
    for name in opened.library.names():
        opened.library.delete(name)


class Talk:
    """One conversation with an assistant whose model is scripted."""

    def __init__(self, rooms: Rooms, name: str, linker: Linker | None = None) -> None:
        """linker: of the same rooms, where it is made already: to make one takes longer than most tests."""
        self.rooms, self.name = rooms, name
        self.model = ScriptedModel()
        self.assistant = Assistant(rooms, self.model, linker)

    def ask(self, question: str, *replies: Reply, viewer: Viewer = EVERYBODY, **how: Any) -> Answer:
        """Ask, with the answers the model will give in this turn."""
        self.model.script(*replies, **how)
        answer = self.assistant.ask(question, self.name, viewer=viewer)
        assert not self.model.replies, f"the model was not asked for {len(self.model.replies)} replies"
        return answer

    def use(self, definition: dict[str, Any]) -> None:
        """Make a definition the current segment."""
        self.assistant.set_segment(self.name, from_json(definition))

    @property
    def current(self) -> dict[str, Any] | None:
        """The conversation's current segment, as stored."""
        config = {"configurable": {"thread_id": self.name}}
        return self.assistant._graph.compiled.get_state(config).values.get("current")


@pytest.fixture(scope="session")
def whole_linker(opened) -> Linker:
    """The linker that the product makes of the demo."""
    return make_linker(opened)


@pytest.fixture
def talk(rooms, whole_linker, request) -> Talk:
    return Talk(rooms, request.node.nodeid.replace(":", " "), whole_linker)


def values(text: str) -> set[float]:
    """The numbers that a text shows."""
    return {float(number) for number in numbers_in(text)}


def shown_in(evidence: list[dict[str, Any]]) -> set[float]:
    """Every number an answer may show: figures as displayed, and numbers in words and rows."""
    texts = [json.dumps(item["rows"], ensure_ascii=False) + " ".join(item["notes"]) for item in evidence]
    figures = [figure for item in evidence for figure in item["figures"]]
    texts += [f"{figure['display']} {figure['label']} {figure['value']}" for figure in figures]
    return set().union(*map(values, texts))


BIG_SPENDERS = {"event": "purchase", "from_days_ago": 90, "measure": "value", "op": ">", "value": 500}
SOUP = {"event": "purchase", "items": {"category": ["SOUP"]}, "from_days_ago": 60}
PARENTS = {"feature": "has_children", "op": "=", "value": True}


@pytest.fixture(scope="session")
def tiny(opened) -> dict[str, Any]:
    """A segment of seven customers: those who spent most, and the sum that divides them from the eighth."""
    events = opened.warehouse.table("events")
    bought = events.filter(events.type == "purchase").group_by("customer_id")
    spend = opened.warehouse.fetch(bought.aggregate(spend=events.value.sum()))["spend"].nlargest(8)
    assert int(spend.iloc[7]) < int(spend.iloc[6]), "no whole number lies between the two"
    return {"event": "purchase", "measure": "value", "op": ">", "value": int(spend.iloc[6])}


@pytest.fixture
def postgres_url(postgres_server, request) -> str:  # noqa: F811
    """A database of its own in a real PostgreSQL."""
    import psycopg

    name = f"state_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(
        f"host={postgres_server} user=postgres dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql://postgres@/{name}?host={postgres_server}"


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path) -> str | Path:
    if request.param == "sqlite":
        return tmp_path / "state.sqlite"
    return request.getfixturevalue("postgres_url")


def wish(workspace: Path, second_reading: str) -> None:
    settings = workspace / "segassist.toml"
    text = settings.read_text(encoding="utf-8")
    settings.unlink()
    settings.write_text(f'second_reading = "{second_reading}"\n{text}', encoding="utf-8")
