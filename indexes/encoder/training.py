"""Training without labels: what is bought next, and telling one customer's two histories from the others'.

Every step draws customers and, for each, two dates before the end of the data; the histories as of these
dates predict what the next `horizon` days brought (next items, and whether anything), and must be nearer to
each other than to anyone else's (InfoNCE, van den Oord et al. 2018). The draws depend on the seed and the step
alone, so that a training that was killed goes on from its checkpoint to the same result.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from indexes.encoder.histories import Histories, after, before
from indexes.encoder.network import Network, Shape
from segments.atomic import beside, write_text
from segments.errors import ChecksumError, DataError
from segments.ports import Progress, silent

CHECKPOINT, CURVE = "checkpoint.pt", "learning_curve.json"


@dataclass(frozen=True)
class Training:
    """How to train. held_out: share of the customers whose loss is watched and never trained on."""

    steps: int = 800
    customers: int = 96
    horizon: int = 30
    rate: float = 3e-3
    contrast: float = 0.1
    temperature: float = 0.1
    least_history: int = 21
    held_out: float = 0.1
    every: int = 50
    seed: int = 7


def train(
    found: Histories,
    text: np.ndarray,
    end: int,
    folder: Path,
    shape: Shape | None = None,
    training: Training | None = None,
    progress: Progress = silent,
) -> Network:
    """Train on days before `end` (a day number). text: (v, t) vectors of `found.texts`.

    Writes a checkpoint and the learning curve into `folder` every `every` steps and goes on from there when
    the settings and the data are the same. On a GPU when there is one, there in mixed precision. Raises DataError
    where too few customers have a history to learn from, ChecksumError for a damaged checkpoint.
    """
    shape, training = shape or Shape(), training or Training()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(training.seed)
    vectors = torch.from_numpy(text).to(device)
    network = Network(shape, vectors).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.rate, total_steps=training.steps)
    draw = _Draws(found, end, training)
    data = _fingerprint(found, text)
    about = {"shape": asdict(shape), "training": asdict(training), "data": data, "end": end}
    state = _resume(folder / CHECKPOINT, about, device)
    curve: list[dict[str, float]] = []
    first = 0
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        curve, first = state["curve"], state["step"]
    for step in range(first, training.steps):
        torch.manual_seed(training.seed + step)
        network.train()
        loss = _loss(network, vectors, found, draw.train(step), shape, training)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % training.every == 0 or step + 1 == training.steps:
            network.eval()
            with torch.no_grad():
                held = _loss(network, vectors, found, draw.held(), shape, training)
            curve.append({"step": step + 1, "trained": loss.item(), "held_out": held.item()})
            done = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
            _save(
                folder, about | done | {"schedule": schedule.state_dict(), "curve": curve, "step": step + 1}
            )
        progress((step + 1) / training.steps, f"{shape.kind}: step {step + 1}, loss {loss.item():.3f}")
    network.eval()
    return network


class _Draws:
    """Customers and two dates each, by step."""

    def __init__(self, found: Histories, end: int, training: Training) -> None:
        self._training = training
        starts = np.minimum(found.starts[:-1], len(found.days) - 1)
        self._earliest = found.days[starts] + training.least_history
        self._latest = end - training.horizon
        some = (np.diff(found.starts) > 0) & (self._earliest <= self._latest)
        order = np.random.default_rng(training.seed).permutation(np.flatnonzero(some))
        count = max(2, round(training.held_out * len(order)))
        if len(order) < count + 2:
            raise DataError(
                f"Too few customers to train an encoder on: {len(order)} have bought {training.least_history} days before "
                f"what the last {training.horizon} days are to show; it takes 4."
            )
        self._held, self._trained = order[:count], order[count:]

    def train(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng((self._training.seed, step))
        size = min(self._training.customers, len(self._trained))
        return self._dated(random.choice(self._trained, size, replace=False), random)

    def held(self) -> tuple[np.ndarray, np.ndarray]:
        return self._dated(self._held[:256], np.random.default_rng(self._training.seed))

    def _dated(self, chosen: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        twice = np.tile(chosen, 2)
        return twice, random.integers(self._earliest[twice], self._latest + 1)


def _loss(
    network: Network,
    text: torch.Tensor,
    found: Histories,
    drawn: tuple[np.ndarray, np.ndarray],
    shape: Shape,
    training: Training,
) -> torch.Tensor:
    customers, cuts = drawn
    batch = before(found, customers, cuts, shape.length).to(text.device)
    target = after(found, customers, cuts, training.horizon, len(text)).to(text.device)
    with torch.autocast(text.device.type, torch.bfloat16, enabled=text.device.type == "cuda"):
        items = network.items(text)
        vectors = network(batch, items)
        scores = network.next_items(vectors, items).float()
        returns = network.returns(vectors).float()[:, 0]
    bought = target.sum(1)
    missed = -(functional.log_softmax(scores, 1) * target).sum(1) / bought.clamp(min=1)
    next_items = missed.sum() / (bought > 0).sum().clamp(min=1)
    back = functional.binary_cross_entropy_with_logits(returns, (bought > 0).float())
    unit = functional.normalize(vectors.float(), dim=1)
    half = len(unit) // 2
    same = torch.arange(half, device=unit.device)
    alike = unit[:half] @ unit[half:].T / training.temperature
    apart = (functional.cross_entropy(alike, same) + functional.cross_entropy(alike.T, same)) / 2
    total: torch.Tensor = next_items + back + training.contrast * apart
    return total


def _resume(path: Path, about: dict[str, Any], device: torch.device) -> dict[str, Any] | None:
    """The checkpoint, when there is one of the same settings and data."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError) as error:
        raise ChecksumError(f"{path} is damaged; remove it, and the training begins anew.") from error
    return state if all(state.get(name) == value for name, value in about.items()) else None


def _fingerprint(found: Histories, text: np.ndarray) -> str:
    """Changes with every purchase and with the texts' vectors."""
    arrays = (found.starts, found.days, found.spend, found.item_starts, found.items, found.weights, text)
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _save(folder: Path, state: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with beside(folder / CHECKPOINT) as partial:
        torch.save(state, partial)
    write_text(folder / CURVE, json.dumps(state["curve"]))
