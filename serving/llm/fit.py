"""Whether a language model fits the memory that it is to be served from, and what would fit.

Of vLLM on a GPU: the weights, the cache of keys and values of one conversation of the longest length, and what the engine
takes besides, against the share of each card that the profile may use. Sizes of local folders are read, those of the Qwen3
family computed from their published shapes (config.json of each); of another name nothing is known before it is fetched.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from segments.errors import DataError
from serving.llm.embedded import CONTEXT_TOKENS
from serving.llm.vllm import GPU, PROFILES, VLLMOptions

GB = 1e9
BYTES = 2
"""Of a number in bfloat16, which weights, and keys and values always, are kept in."""
ENGINE = 2.5 * GB
"""What vLLM takes of each card besides weights and cache (activations of a step, compiled graphs, CUDA itself): a round
figure, to be measured on a GPU host."""
EMBEDDED_ENGINE = 0.4 * GB
"""The same of llama.cpp on a CPU."""
EMBEDDED_CACHE = 235e6 / 1_117_320_768
"""Of the packaged model: the cache of `CONTEXT_TOKENS` over the file's size. Taken for other models too."""


@dataclass(frozen=True)
class Shape:
    """A decoder-only Transformer. tied: whether words are read and written by one table."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    vocabulary: int
    tied: bool

    @property
    def linear(self) -> int:
        """Weights in the layers, which FP8 halves."""
        attention = self.hidden * self.head * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def tables(self) -> int:
        """Weights of the tables of words."""
        return (1 if self.tied else 2) * self.vocabulary * self.hidden

    @property
    def cache(self) -> int:
        """Bytes of keys and values of one token."""
        return 2 * self.layers * self.kv_heads * self.head * BYTES


FAMILY = {
    "Qwen/Qwen3-0.6B": Shape(28, 1024, 16, 8, 128, 3072, 151_936, True),
    "Qwen/Qwen3-1.7B": Shape(28, 2048, 16, 8, 128, 6144, 151_936, True),
    "Qwen/Qwen3-4B": Shape(36, 2560, 32, 8, 128, 9728, 151_936, True),
    "Qwen/Qwen3-8B": Shape(36, 4096, 32, 8, 128, 12_288, 151_936, False),
    "Qwen/Qwen3-14B": Shape(40, 5120, 40, 8, 128, 17_408, 151_936, False),
    "Qwen/Qwen3-32B": Shape(64, 5120, 64, 8, 128, 25_600, 151_936, False),
}
"""The models that are offered where another one does not fit, the smallest first."""


@dataclass(frozen=True)
class Need:
    """Bytes of each card: weights, and cache of one conversation of the longest length."""

    weights: float
    cache: float

    @property
    def total(self) -> float:
        """With what the engine takes besides."""
        return self.weights + self.cache + ENGINE


@dataclass(frozen=True)
class Fit:
    """Whether it fits, in words; way_out: what would fit, empty where it does."""

    fits: bool
    words: str
    way_out: str = ""


def on_gpus(model: str, options: VLLMOptions, cards: list[GPU]) -> Fit:
    """Whether vLLM can serve a model on the cards with these options. Raises DataError for a config.json that does not
    say what a model is."""
    shape = shape_of(model)
    least = min(cards, key=lambda card: card.gib)
    usable = options.memory * least.gib * 2**30
    may = f"{usable / GB:.1f} GB, {options.memory:.0%} of each {least.name}"
    busy = [card for card in cards if card.free_gib is not None and card.free_gib < options.memory * card.gib]
    if busy:
        words = f"{busy[0].free_gib:.1f} GiB of {busy[0].name} are free, and vLLM is to take {options.memory:.0%} of it"
        return Fit(
            False, words, "end what else runs on it (nvidia-smi says what), or serve from another card"
        )
    if shape is None:
        return Fit(True, f"what {model} needs is not known before it is fetched; vLLM may use {may}")
    need = need_of(shape, options, weights_in(model))
    if need.total <= usable:
        held = (usable - need.weights - ENGINE) / need.cache
        return Fit(
            True,
            f"{model}{_quantized(options)} takes {need.weights / GB:.1f} GB for its weights and "
            f"{need.cache / GB:.2f} GB for {options.context:,} tokens of a conversation; of {may} that leaves room for "
            f"{held:,.0f} such conversations at once",
        )
    words = (
        f"{model}{_quantized(options)} needs {need.total / GB:.1f} GB ({need.weights / GB:.1f} of weights, "
        f"{need.cache / GB:.2f} of cache for {options.context:,} tokens, {ENGINE / GB:.1f} besides), and may use {may}"
    )
    return Fit(False, words, _what_fits(model, shape, options, usable, len(cards)))


def in_memory(size: float, slots: int, free: float, adapter: float = 0.0) -> Fit:
    """Whether the embedded server can hold a model file of so many bytes. slots: prompts that it holds at once."""
    cache = slots * EMBEDDED_CACHE * size
    need = size + adapter + cache + EMBEDDED_ENGINE
    words = (
        f"the model needs about {need / GB:.1f} GB ({(size + adapter) / GB:.1f} of weights, {cache / GB:.1f} of cache for "
        f"{slots} x {CONTEXT_TOKENS:,} tokens), and {free / GB:.1f} GB are free"
    )
    if need <= free:
        return Fit(True, words)
    most = (free - EMBEDDED_ENGINE - adapter) / (1 + slots * EMBEDDED_CACHE)
    smaller = (
        f"a GGUF file of at most {most / GB:.1f} GB would fit" if most > 0.3 * GB else "no model would fit"
    )
    return Fit(False, words, f"free some; {smaller}; or name a language model elsewhere (llm_base_url)")


def need_of(shape: Shape, options: VLLMOptions, weights: float | None = None) -> Need:
    """What each card must hold. weights: bytes of the files as they are, where they are known."""
    plain = float(BYTES * (shape.linear + shape.tables)) if weights is None else weights
    saved = shape.linear * (BYTES - 1) if options.quantization == "fp8" else 0
    parallel = options.tensor_parallel
    return Need(max(plain - saved, plain / 2) / parallel, shape.cache * options.context / parallel)


def shape_of(model: str) -> Shape | None:
    """A model's shape: of a folder by its config.json, of the family by name; None where it is not known."""
    path = Path(model) / "config.json"
    if not path.is_file():
        return FAMILY.get(model)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        said = said.get("text_config", said)
        heads, hidden = int(said["num_attention_heads"]), int(said["hidden_size"])
        return Shape(
            layers=int(said["num_hidden_layers"]),
            hidden=hidden,
            heads=heads,
            kv_heads=int(said.get("num_key_value_heads") or heads),
            head=int(said.get("head_dim") or hidden // heads),
            inner=int(said["intermediate_size"]),
            vocabulary=int(said["vocab_size"]),
            tied=bool(said.get("tie_word_embeddings", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise DataError(
            f"{path} does not say what shape the model has ({error}); fetch the model again."
        ) from error


def weights_in(model: str) -> float | None:
    """Bytes of the weights in a local folder; None where there are none."""
    sizes = (
        [path.stat().st_size for path in Path(model).glob("*.safetensors")] if Path(model).is_dir() else []
    )
    return float(sum(sizes)) or None


def _what_fits(model: str, shape: Shape, options: VLLMOptions, usable: float, cards: int) -> str:
    """Ways out, the nearest to what was wanted first: FP8, several cards for one copy, a smaller model of the family."""
    ways = []
    small = VLLMOptions(options.context, options.memory, quantization="fp8")
    if options.quantization != "fp8" and need_of(shape, small, weights_in(model)).total <= usable:
        fp8 = next(name for name, profile in PROFILES.items() if profile.quantization == "fp8")
        ways.append(f"in FP8, which cards from Ampere on take, it would fit (llm_profile = '{fp8}')")
    shared = VLLMOptions(
        options.context, options.memory, options.dtype, max(cards, 1), 1, options.quantization
    )
    if cards > options.tensor_parallel and need_of(shape, shared, weights_in(model)).total <= usable:
        ways.append(
            f"shared by {cards} cards it would fit (serve vLLM yourself, and name it in llm_base_url)"
        )
    fitting = [
        name for name, other in FAMILY.items() if need_of(other, options).total <= usable and name != model
    ]
    ways.append(
        f"{fitting[-1]} would fit (llm_model)" if fitting else "no model of the Qwen3 family would fit"
    )
    return "; ".join([*ways, "or llm_backend = 'embedded'"])


def _quantized(options: VLLMOptions) -> str:
    return f" in {options.quantization.upper()}" if options.quantization else ""
