"""Train the LoRA adapter that turns requests into sketches, and tells which tool they ask for: low-rank updates of every
projection, the base untouched.

    python -m eval.adapter.train --pairs pairs.jsonl edit_pairs.jsonl tool_pairs.jsonl --out adapter --model FILE.gguf \\
        [--begin ADAPTER] [--tokens 12288] [--minutes 60] [--resume]

On a GPU 12,288 tokens a step fill it (42,000 tokens a second on an H200, so that three passes over 18,000 pairs take three
minutes); more passes learn the pairs by heart: what was held out was read best, by loss, after two or three.

On a CPU with glibc, MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000 in the environment made a step
2.5 times as fast (11.6 instead of 31 ms a token on two cores): else every large tensor is fresh pages from the kernel.

The base may be the GGUF that is served (so that the adapter learns on the very weights it will sit on) or a
transformers folder. The same code runs on a CPU and on a GPU. A checkpoint is written every few minutes, whole or not
at all; --resume goes on from it, with the same batches as without the break.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from assistant import sketch, tool_reading
from eval.adapter.variants import Words, variants
from eval.json_lines import read_lines

if TYPE_CHECKING:
    import torch

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
FROZEN = 0.3
"""Share of the layers, the lowest, that stay as they are: they cost as much to learn through and give little."""
RANK = 16
ALPHA = 32
DROPOUT = 0.05
TOKENS = 800
"""Of a step, padding too."""
HELD_OUT, AT_ONCE = 32, 8
"""Pairs that a point of the curve is measured on, and how many of them in one batch."""
VARIANTS, PLAIN = 3, 0.5
"""How many variants of a pair there are, and how often it is learned from as it stands."""
LEARNING_RATE = 3e-4
WARM_UP = 0.05
"""Share of the steps over which the learning rate rises; it then falls to a tenth along a cosine."""
CHECKPOINT_SECONDS = 600.0
LONGEST = 400
"""Tokens of a pair; longer ones are left out."""


@dataclass(frozen=True)
class Encoded:
    """One pair as tokens. prompt: how many of them are given; the rest is learned."""

    tokens: tuple[int, ...]
    prompt: int


ROLES = {"human": "user"}


def read_pairs(paths: Sequence[Path], split: str) -> list[dict[str, str]]:
    """The pairs of a split, in the files' order."""
    return [row for path in paths for row in read_lines(path) if row["split"] == split]


def _lesson(pair: dict[str, str]) -> tuple[list[tuple[str, str]], str]:
    """What the model is asked and what it is to answer: a sketch, or a tool with the reason where it is refused."""
    if "sketch" in pair:
        return sketch.asked(pair["request"]), pair["sketch"]
    said: dict[str, Any] = {name: pair[name] for name in ("tool", "reason") if name in pair}
    return tool_reading.asked(pair["request"]), sketch.compact(said)


def encode(tokenizer: Any, pairs: Sequence[dict[str, str]]) -> list[Encoded]:
    """Pairs as the chat template writes them, the answer closed by the end of its turn."""
    out = []
    for pair in pairs:
        question, answer = _lesson(pair)
        messages = [{"role": ROLES.get(role, role), "content": text} for role, text in question]
        given = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before = tokenizer(given, add_special_tokens=False)["input_ids"]
        after = tokenizer(answer + tokenizer.eos_token, add_special_tokens=False)["input_ids"]
        if len(before) + len(after) <= LONGEST:
            out.append(Encoded((*before, *after), len(before)))
    return out


def with_variants(tokenizer: Any, pairs: Sequence[dict[str, str]], seed: int) -> list[list[Encoded]]:
    """Each pair with its variants, itself first."""
    words, draw = Words([pair for pair in pairs if "sketch" in pair]), random.Random(seed)
    made = [[pair, *(variants(pair, words, VARIANTS, draw) if "sketch" in pair else ())] for pair in pairs]
    return [found for each in made if (found := encode(tokenizer, each))]


def batches(pairs: Sequence[Sequence[Encoded]], tokens: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of so many tokens: each pass shuffled anew, of each pair itself or a variant, neighbours in length
    together so that little is padding."""
    for epoch in range(10_000):
        draw = random.Random(seed + epoch)
        order = [
            each[0] if len(each) == 1 or draw.random() < PLAIN else draw.choice(each[1:]) for each in pairs
        ]
        draw.shuffle(order)
        made = [
            batch
            for start in range(0, len(order), tokens)
            for batch in _filled(sorted(order[start : start + tokens], key=lambda e: len(e.tokens)), tokens)
        ]
        draw.shuffle(made)
        yield from made


def _filled(run: Sequence[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    """The pairs, shortest first, in batches that with their padding hold so many tokens at most (one pair at least)."""
    batch = list[Encoded]()
    for pair in run:
        if batch and (len(batch) + 1) * len(pair.tokens) > tokens:
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


def load_base(model: str, device: str) -> tuple[Any, Any]:
    """Model and tokenizer, in bfloat16, from a GGUF file or a transformers folder or name."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    path = Path(model)
    if path.suffix == ".gguf":
        where: dict[str, Any] = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
        tokenizer = AutoTokenizer.from_pretrained(**where)
        base = AutoModelForCausalLM.from_pretrained(
            **where, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        )
    else:
        tokenizer = AutoTokenizer.from_pretrained(model)
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    moved: Any = base
    return moved.to(device), tokenizer


class Trainer:
    """One run: the adapter, its optimiser and where in the batches it is."""

    def __init__(self, model: str, out: Path, seed: int, steps: int) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        base, self.tokenizer = load_base(model, self.device)
        self.out, self.steps, self.seed, self.step = out, steps, seed, 0
        layers = base.config.num_hidden_layers
        config = LoraConfig(
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=DROPOUT,
            target_modules=list(PROJECTIONS),
            layers_to_transform=list(range(round(layers * FROZEN), layers)),
            task_type="CAUSAL_LM",
        )
        self.model = get_peft_model(base, config, autocast_adapter_dtype=False)
        self.learned = [p for p in self.model.parameters() if p.requires_grad]
        # Steps as small as ours are lost in bfloat16, so the optimiser works on copies in full precision.
        self.copies = [p.detach().clone().float() for p in self.learned]
        self.optimiser = torch.optim.AdamW(self.copies, LEARNING_RATE, weight_decay=0.01)

    def begin(self, adapter: Path) -> None:
        """Begin with an adapter of this rank, or of a smaller one and the same scale: what it has not begins at nothing."""
        from safetensors.torch import load_file

        known = load_file(adapter / "adapter_model.safetensors")
        names = [name for name, p in self.model.named_parameters() if p.requires_grad]
        for name, copy in zip(names, self.copies, strict=True):
            learned = known[name.replace(".default", "")].to(self.device)
            copy[: learned.shape[0], : learned.shape[1]] = learned
        self._put()

    def loss(self, batch: Sequence[Encoded]) -> torch.Tensor:
        """Mean cross-entropy of the answers' tokens."""
        import torch

        width = max(len(pair.tokens) for pair in batch)
        ids = torch.zeros(len(batch), width, dtype=torch.long, device=self.device)
        mask, learned = torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
        for row, pair in enumerate(batch):
            length = len(pair.tokens)
            ids[row, :length] = torch.tensor(pair.tokens)
            mask[row, :length] = 1
            learned[row, pair.prompt : length] = True
        inner: Any = self.model.get_base_model()
        hidden = inner.model(input_ids=ids, attention_mask=mask).last_hidden_state
        # The head is a quarter of the work, and only the answers' places need it.
        logits = inner.lm_head(hidden[:, :-1][learned[:, 1:]]).float()
        return torch.nn.functional.cross_entropy(logits, ids[:, 1:][learned[:, 1:]])

    def rate(self) -> float:
        """The learning rate of this step."""
        warm = max(1, round(self.steps * WARM_UP))
        if self.step < warm:
            return LEARNING_RATE * (self.step + 1) / warm
        share = (self.step - warm) / max(1, self.steps - warm)
        return LEARNING_RATE * (0.1 + 0.9 * (1 + math.cos(math.pi * min(share, 1.0))) / 2)

    def learn(self, batch: Sequence[Encoded]) -> float:
        """One step; returns its loss."""
        import torch

        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        torch.manual_seed(self.seed + self.step)  # what dropout leaves out is the same after a break
        self.model.train()
        loss = self.loss(batch)
        loss.backward()
        for copy, parameter in zip(self.copies, self.learned, strict=True):
            copy.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        torch.nn.utils.clip_grad_norm_(self.copies, 1.0)
        self.optimiser.step()
        self._put()
        self.step += 1
        return float(loss.detach())

    def _put(self) -> None:
        import torch

        with torch.no_grad():
            for copy, parameter in zip(self.copies, self.learned, strict=True):
                parameter.copy_(copy)

    def held_out(self, pairs: Sequence[Encoded]) -> float:
        """Mean loss on pairs that were not learned from."""
        import torch

        self.model.eval()
        with torch.no_grad():
            parts = [pairs[i : i + AT_ONCE] for i in range(0, len(pairs), AT_ONCE)]
            return sum(float(self.loss(part)) * len(part) for part in parts) / len(pairs)

    def save(self, curve: Sequence[dict[str, float]]) -> None:
        """Adapter, optimiser and curve, in place of the last checkpoint."""
        import torch

        fresh = self.out.with_name(self.out.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self.model.save_pretrained(str(fresh))
        state = {"step": self.step, "optimiser": self.optimiser.state_dict(), "copies": self.copies}
        torch.save(state, fresh / "training.pt")
        (fresh / "curve.json").write_text(json.dumps(list(curve)), encoding="utf-8")
        old = self.out.with_name(self.out.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.out.exists():
            os.replace(self.out, old)
        os.replace(fresh, self.out)
        shutil.rmtree(old, ignore_errors=True)

    def resume(self) -> list[dict[str, float]]:
        """Go on from the checkpoint; returns the curve so far."""
        import torch

        state = torch.load(self.out / "training.pt", weights_only=True)
        self.optimiser.load_state_dict(state["optimiser"])
        for copy, saved in zip(self.copies, state["copies"], strict=True):
            copy.copy_(saved)
        self._put()
        self.step = int(state["step"])
        curve: list[dict[str, float]] = json.loads((self.out / "curve.json").read_text(encoding="utf-8"))
        return curve


def train(
    pairs: Sequence[Path],
    model: str,
    out: Path,
    steps: int,
    minutes: float,
    seed: int,
    resume: bool,
    console: Console,
    tokens: int = TOKENS,
    begin: Path | None = None,
) -> None:
    """Learn until the steps or the minutes are over, whichever is first; Ctrl-C keeps the last checkpoint. begin: the
    adapter that a new run begins with."""
    trainer = Trainer(model, out, seed, steps)
    learned = with_variants(trainer.tokenizer, read_pairs(pairs, "train"), seed)
    held = encode(trainer.tokenizer, read_pairs(pairs, "held"))[:HELD_OUT]
    if begin is not None:
        trainer.begin(begin)
    curve = trainer.resume() if resume else []
    source = batches(learned, tokens, seed)
    for _ in range(trainer.step):
        next(source)
    began = saved = time.monotonic()
    console.print(
        f"{len(learned)} pairs to learn, {len(held)} held out, {steps} steps of {tokens} tokens, {trainer.device}"
    )
    losses: list[float] = []
    while trainer.step < steps and time.monotonic() - began < minutes * 60:
        losses.append(trainer.learn(next(source)))
        if trainer.step % 10 == 0:
            _give_back()
            pace = (time.monotonic() - began) / len(losses)
            console.print(f"step {trainer.step}  loss {sum(losses[-10:]) / 10:.3f}  {pace:.1f} s a step")
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            curve.append(_point(trainer, losses, held, console))
            trainer.save(curve)
            saved = time.monotonic()
    curve.append(_point(trainer, losses, held, console))
    trainer.save(curve)


def _give_back() -> None:
    """Free pages to the kernel: with the settings above, batches of many widths leave more and more of them behind."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _point(
    trainer: Trainer, losses: Sequence[float], held: Sequence[Encoded], console: Console
) -> dict[str, float]:
    recent = list(losses[-50:]) or [math.nan]
    point = {"step": float(trainer.step), "learned": sum(recent) / len(recent)}
    if held:
        point["held_out"] = trainer.held_out(held)
    console.print("  ".join(f"{name} {value:.4g}" for name, value in point.items()))
    return point


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help="one file or more")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--model", required=True, help="the GGUF that is served, or a transformers folder or name"
    )
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--tokens", type=int, default=TOKENS, help="of a step")
    parser.add_argument(
        "--begin", type=Path, help="an adapter's folder to begin with, of this rank or a smaller one"
    )
    parser.add_argument("--minutes", type=float, default=24 * 60.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true")
    train(**vars(parser.parse_args()), console=Console(highlight=False))


if __name__ == "__main__":
    main()
