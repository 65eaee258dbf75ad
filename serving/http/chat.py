"""The OpenAI chat protocol over the assistant, so that any chat client can talk to it.

A chat client sends the whole conversation each time, and may edit it or ask for an answer again. So the assistant's
conversation is found by what was said: where it stood after each answer is kept under the hash of the messages up
to there (roles user and assistant, white space aside). A client that names one in `metadata.conversation` goes on
with that instead. A history that is not known here is said to be so in front of the answer.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from assistant.app import Answer
from assistant.conversations import COPY
from segments.errors import NotFoundError, UserError
from segments.explain import Language
from segments.issues import in_language
from serving.access import Caller
from serving.http.events import event_stream
from serving.http.idempotency import UNKEYED
from serving.http.problems import asked_for, seen
from serving.http.schemas import MAX_QUESTION, ConversationId, Whole
from serving.http.who import Asker, Reader, has_gone
from serving.service import Service

MODEL = "segment-assistant"
NEW = "(The earlier messages of this chat are not known here, so this begins anew.)\n\n"


class Part(BaseModel):
    """A piece of a message; only text is read."""

    type: Literal["text"]
    text: Whole


class Message(BaseModel):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Whole | list[Part] | None = None

    def said(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class Metadata(BaseModel, extra="allow"):
    """What a client may attach."""

    conversation: ConversationId | None = None


class ResponseFormat(BaseModel, extra="allow"):
    """Only text is given."""

    type: Literal["text"]


class ChatRequest(BaseModel):
    """A chat completion. Other fields of the protocol (temperature, tools, ...) are read past."""

    model: Whole = Field(max_length=200, examples=[MODEL])
    messages: list[Message] = Field(
        min_length=1, max_length=1000, examples=[[{"role": "user", "content": "who bought beer?"}]]
    )
    stream: bool = False
    n: Literal[1] | None = None
    metadata: Metadata | None = None
    response_format: ResponseFormat | None = None


class Said(BaseModel):
    """The assistant's message."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop"] = "stop"


class Completion(BaseModel):
    """A chat completion. segassist: the conversation's id, its segment and the evidence of the answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    segassist: dict[str, Any]


class Model(BaseModel):
    """The one model."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "segment-assistant"


class Models(BaseModel):
    """The models of the OpenAI protocol: the assistant itself."""

    object: Literal["list"] = "list"
    data: list[Model]


def chat_routes(service: Service) -> APIRouter:
    """/v1/models and /v1/chat/completions."""
    router = APIRouter(prefix="/v1", tags=["openai"])

    @router.get("/models")
    def models(caller: Reader) -> Models:
        """The assistant, as a model of the OpenAI protocol."""
        return Models(data=[Model()])

    @router.get("/models/{model}")
    def model(model: Annotated[str, Path(examples=[MODEL])], caller: Reader) -> Model:
        """The assistant by its name, as `models.retrieve` asks for it."""
        _check_model(model)
        return Model()

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={200: {"content": {"text/event-stream": {}}}},
        dependencies=UNKEYED,
    )
    def complete(body: ChatRequest, caller: Asker, request: Request) -> Any:
        """Answer the last message; with `stream`, as server-sent chunks."""
        _check_model(body.model)
        turn = _Turn(service, caller.by("chat"), body)
        if body.stream:
            chunks = _chunks(turn, asked_for(request.headers), has_gone(request))
            return event_stream(chunks)
        answer, text = turn.ask(has_gone(request))
        return Completion(
            id=turn.id,
            created=turn.created,
            choices=[Choice(message=Said(content=text))],
            segassist=turn.about(answer),
        )

    return router


def _check_model(name: str) -> None:
    if name != MODEL:
        raise NotFoundError(
            f"model: there is only '{MODEL}'; got '{name[:40]}'.",
            f"model：只有“{MODEL}”，而给的是“{name[:40]}”。",
        )


class _Turn:
    """One question of a chat, in the conversation that its messages belong to."""

    def __init__(self, service: Service, caller: Caller, body: ChatRequest) -> None:
        self.service, self.caller = service, caller
        self.id, self.created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
        said = [(str(m.role), m.said()) for m in body.messages if m.role in ("user", "assistant")]
        if not said or said[-1][0] != "user" or not said[-1][1].strip():
            raise UserError(
                "messages: the last message must be the user's, with text.",
                "messages：最后一条消息必须是用户的，并且有文字。",
            )
        *self.before, (_, self.question) = said
        if len(self.question) > MAX_QUESTION:
            raise UserError(
                f"messages: a question has at most {MAX_QUESTION:,} characters.",
                f"messages：问题最多{MAX_QUESTION:,}个字符。",
            )
        self.named = body.metadata.conversation if body.metadata else None
        self.conversation = self.named or COPY + uuid.uuid4().hex[:12]
        self.note = ""

    def ask(self, gone: Callable[[], bool]) -> tuple[Answer, str]:
        """The answer and its text, with a note in front when the history is not known."""
        self._find()
        answer = self.service.ask(self.caller, self.question, self.conversation, gone)
        return answer, self._keep(answer)

    def stream(self, gone: Callable[[], bool]) -> Iterator[tuple[str, Any]]:
        """The steps, and last ('done', (answer, text))."""
        self._find()
        for step, data in self.service.stream(self.caller, self.question, self.conversation, gone):
            yield step, (data, self._keep(data)) if step == "done" else data

    def about(self, answer: Answer) -> dict[str, Any]:
        """What a chat client may show beside the text."""
        return {"conversation": self.conversation, "segment": answer.segment, "evidence": answer.evidence}

    def _find(self) -> None:
        """Continue a copy of where the conversation stood: its next answer may be asked for again."""
        if self.named is None and self.before:
            known = self.service.fork(self.caller, _name(self.before), self.conversation)
            self.note = "" if known else NEW

    def _keep(self, answer: Answer) -> str:
        text = self.note + answer.answer
        if self.named is None:
            said = [*self.before, ("user", self.question), ("assistant", text)]
            self.service.fork(self.caller, self.conversation, _name(said))
        return text


def _name(said: list[tuple[str, str]]) -> str:
    """Where a conversation stands after what was said."""
    words = json.dumps([[role, " ".join(text.split())] for role, text in said], ensure_ascii=True)
    return COPY + hashlib.sha256(words.encode()).hexdigest()[:40]


def _chunks(turn: _Turn, language: Language, gone: Callable[[], bool]) -> Generator[str]:
    """Comments while the steps go on (they keep the connection open), then the answer line by line."""
    try:
        yield _chunk(turn, {"role": "assistant", "content": ""})
        for step, data in turn.stream(gone):
            if step != "done":
                yield f": {step}\n\n"
                continue
            answer, text = data
            for line in text.splitlines(keepends=True):
                yield _chunk(turn, {"content": line})
            yield _chunk(turn, {}, finish="stop", segassist=turn.about(answer))
    except Exception as error:  # noqa: BLE001 - told to the reader
        told = seen(error, "A streamed completion")
        yield _data({"error": {"message": in_language(told, language), "type": told.code, "code": told.code}})
    yield "data: [DONE]\n\n"


def _chunk(turn: _Turn, delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": turn.id, "object": "chat.completion.chunk", "created": turn.created, "model": MODEL}
    return _data(head | {"choices": [choice]} | more)


def _data(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
