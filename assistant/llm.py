"""The language model behind one port: an OpenAI-protocol server that honours a JSON Schema.

Every call has a token and a time budget. Answers that are not the JSON asked for are the model's
mistake (ModelRetryError); a server that is down or too slow is the operator's (LLMUnavailableError).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from assistant.tracing import chat_span, count_tokens
from assistant.wanted import awaited
from segments.errors import LLMUnavailableError, ModelRetryError

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

PLAN_TOKENS = 200
PHRASE_TOKENS = 120
TIMEOUT_SECONDS = 90.0
DRAW_TEMPERATURE = 0.7
"""Of completions that are drawn, to be compared with the likeliest one."""
ADAPTER = {"lora": [{"id": 0, "scale": 1.0}], "id_slot": 1}
"""How llama.cpp is asked for the adapter, and for the slot that is the adapter's own. vLLM goes by the model's name."""
PLAIN = {"id_slot": 0}
"""Of a server with an adapter: the slot that holds the instructions."""
ASIDE = {"id_slot": 2}
"""The slot of prompts that begin otherwise: copy, pitches, reviews."""


class ChatModel(Protocol):
    """What the assistant needs of a language model."""

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """One completion under `schema`; raises ModelRetryError, LLMUnavailableError."""
        ...

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """A free-text completion, piece by piece; raises LLMUnavailableError."""
        ...


class TunedModel(Protocol):
    """A language model with a fine-tuned adapter."""

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        """One completion under `schema`, and the probability (0 to 1) that the model gave to the whole of it. draw: 0 for
        the likeliest, other numbers for one drawn. Raises ModelRetryError, LLMUnavailableError."""
        ...


def tuned(model: ChatModel) -> TunedModel | None:
    """The model with its fine-tuned adapter, for those that have one."""
    found: TunedModel | None = getattr(model, "tuned", None)
    return found


def writer(model: ChatModel) -> ChatModel:
    """The model for prompts that begin otherwise than a plan's, so that the server need not read its instructions anew."""
    found: ChatModel = getattr(model, "writer", model)
    return found


@dataclass
class OpenAIChat:
    """Any server that speaks the OpenAI protocol (vLLM, the embedded llama.cpp), through LangChain.

    adapter: the name of the LoRA adapter that the server has beside its model; empty when it has none. With the model
    of that name, the adapter is asked for. aside: whether it is asked for anything but plans.
    """

    base_url: str
    model: str = "default"
    seed: int = 7
    sha256: str = ""
    adapter: str = ""
    aside: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        """What an answer was made with; sha256 of the weights where they are known."""
        adapter = {"adapter": self.adapter} if self.adapter else {}
        return {"name": self.model, "seed": self.seed, "sha256": self.sha256} | adapter

    @property
    def tuned(self) -> OpenAIChat | None:
        """The same model with its adapter; None when the server has no adapter."""
        return replace(self, model=self.adapter) if self.adapter else None

    @property
    def writer(self) -> OpenAIChat:
        """The same model for what is no plan."""
        return replace(self, aside=True)

    @property
    def _extra(self) -> dict[str, Any] | None:
        if not self.adapter:
            return None
        if self.model == self.adapter:
            return ADAPTER
        return ASIDE if self.aside else PLAIN

    @cached_property
    def _client(self) -> ChatOpenAI:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        return ChatOpenAI(
            base_url=self.base_url,
            api_key=SecretStr("local"),
            model=self.model,
            temperature=0,
            seed=self.seed,
            timeout=TIMEOUT_SECONDS,
            max_retries=0,
            stream_usage=True,
            extra_body=self._extra,
        )

    def json(self, messages: list[tuple[str, str]], schema: dict[str, Any]) -> dict[str, Any]:
        """One completion constrained to `schema`. Where that leaves one answer, it is given without asking."""
        only = only_answer(schema)
        if only is not None:
            return only
        return parse_object(_text(self._constrained(messages, schema)))

    def weighed(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], draw: int = 0
    ) -> tuple[dict[str, Any], float]:
        """The same, with the product of its tokens' probabilities, as they were before the schema ruled others out."""
        drawn = {"temperature": DRAW_TEMPERATURE, "seed": self.seed + draw} if draw else {}
        answer = self._constrained(messages, schema, logprobs=True, top_logprobs=1, **drawn)
        tokens = (answer.response_metadata.get("logprobs") or {}).get("content")
        if not tokens:
            raise LLMUnavailableError(
                f"The language model at {self.base_url} does not tell the probabilities of its tokens (logprobs), which "
                'a second reading needs; set second_reading = "off".'
            )
        return parse_object(_text(answer)), math.exp(sum(token["logprob"] for token in tokens))

    def _constrained(
        self, messages: list[tuple[str, str]], schema: dict[str, Any], **wished: Any
    ) -> BaseMessage:
        bound = self._client.bind(
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "plan", "schema": schema, "strict": True},
            },
            max_tokens=PLAN_TOKENS,
            **wished,
        )
        with chat_span(self.model) as opened, _server_errors(self.base_url):
            answer = awaited(bound.ainvoke(messages))
            count_tokens(opened, answer.usage_metadata)
        return answer

    def stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        """Words as they come."""
        bound = self._client.bind(max_tokens=PHRASE_TOKENS)
        with chat_span(self.model) as opened, _server_errors(self.base_url):
            for chunk in bound.stream(messages):
                count_tokens(opened, getattr(chunk, "usage_metadata", None))
                yield _text(chunk)


def only_answer(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of a schema that leaves no choice; None where it leaves one."""
    only = _only(schema)
    return only[0] if only else None


def _only(schema: dict[str, Any]) -> tuple[Any] | None:
    match schema:
        case {"const": value} | {"enum": [value]}:
            return (value,)
        case {"anyOf": [kind]}:
            return _only(kind)
        case {"type": "array", "items": items, "minItems": 1, "maxItems": 1}:
            item = _only(items)
            return None if item is None else ([item[0]],)
        case {"type": "object", "properties": properties}:
            found = {name: _only(kind) for name, kind in properties.items()}
            values = {name: only[0] for name, only in found.items() if only is not None}
            return (
                (values,) if values.keys() == properties.keys() == set(schema.get("required", ())) else None
            )
        case _:
            return None


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object of an answer; raises ModelRetryError saying what was wrong."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelRetryError(
            f"Your answer was not valid JSON ({error.msg}); answer with one JSON object."
        ) from error
    if not isinstance(value, dict):
        raise ModelRetryError("Your answer was not a JSON object; answer with one JSON object.")
    return value


def _text(message: BaseMessage) -> str:
    return message.content if isinstance(message.content, str) else ""


NONSENSE = (json.JSONDecodeError, AttributeError, TypeError, KeyError, IndexError)


class _server_errors:
    """The client's errors in one table, as one sentence about the server."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        import openai

        if isinstance(error, openai.LengthFinishReasonError):
            raise ModelRetryError(
                f"Your answer was longer than {PLAN_TOKENS} tokens; answer with one short JSON object."
            ) from error
        advice = "start it with: segassist serve llm"
        start = "请启动它：segassist serve llm"
        for known, sentence, zh in (
            (
                openai.APITimeoutError,
                f"did not answer within {TIMEOUT_SECONDS:.0f} seconds; it may be overloaded",
                f"{TIMEOUT_SECONDS:.0f}秒内没有回答，可能负载过高",
            ),
            (openai.APIConnectionError, f"cannot be reached; {advice}", f"无法连接；{start}"),
            (openai.APIStatusError, "refused the request", "拒绝了请求"),
            (openai.APIError, "broke off its answer", "中断了回答"),
            (httpx.HTTPError, f"cannot be reached; {advice}", f"无法连接；{start}"),
            # What the client's own code stumbles over when the answer is not of the protocol.
            (NONSENSE, "answered something that is not the OpenAI protocol", "的回答不符合 OpenAI 协议"),
        ):
            if isinstance(error, known):
                detail = f" ({error})" if isinstance(error, openai.APIStatusError) else ""
                raise LLMUnavailableError(
                    f"The language model at {self.base_url} {sentence}{detail}.",
                    f"语言模型（{self.base_url}）{zh}{detail}。",
                ) from error
