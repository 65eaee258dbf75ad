"""The networks: shopping days to one vector a customer, by a Transformer with time-aware positions or an LSTM.

An item's embedding is a projection of its text vector plus a learned difference that starts at zero, so that
an item never seen in training is encoded by its text alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn
from torch.nn import functional

from indexes.encoder.histories import Batch

Kind = Literal["transformer", "lstm"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PERIODS = (2.0, 4.0, 7.0, 15.0, 30.0, 60.0, 120.0, 365.0)
"""Days of the waves by which a step knows how long before the cut it was."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a network. length: steps of a sequence; dimension: of the customer vector."""

    kind: Kind = "transformer"
    width: int = 64
    layers: int = 2
    heads: int = 4
    length: int = 48
    dimension: int = 128
    dropout: float = 0.1


class TimePositions(nn.Module):
    """Ages and gaps in days as vectors: waves of several periods, and the logarithms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rates: torch.Tensor
        self.register_buffer("rates", 2 * math.pi / torch.tensor(PERIODS))
        self.linear = nn.Linear(2 * len(PERIODS) + 2, width)

    def forward(self, ages: torch.Tensor, gaps: torch.Tensor) -> torch.Tensor:
        """(b, l) and (b, l) to (b, l, width)."""
        waves = ages[..., None] * self.rates
        logs = torch.stack([torch.log1p(ages) / 5, torch.log1p(gaps) / 5], -1)
        out: torch.Tensor = self.linear(torch.cat([waves.sin(), waves.cos(), logs], -1))
        return out


class Network(nn.Module):
    """Batches to customer vectors, and customer vectors to what comes next."""

    def __init__(self, shape: Shape, text: torch.Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.project = nn.Linear(text.shape[1], shape.width, bias=False)
        self.difference = nn.Parameter(torch.zeros(len(text), shape.width))
        self.positions = TimePositions(shape.width)
        self.spend = nn.Linear(1, shape.width)
        self.now = nn.Parameter(torch.randn(shape.width) * 0.1)
        self.norm = nn.LayerNorm(shape.width)
        self.body: nn.Module
        if shape.kind == "lstm":
            self.body = nn.LSTM(shape.width, shape.width, shape.layers, batch_first=True)
        else:
            layer = nn.TransformerEncoderLayer(
                shape.width, shape.heads, 2 * shape.width, shape.dropout, batch_first=True, norm_first=True
            )
            self.body = nn.TransformerEncoder(layer, shape.layers, enable_nested_tensor=False)
        self.out = nn.Sequential(nn.Linear(3 * shape.width, shape.dimension), nn.LayerNorm(shape.dimension))
        self.ask = nn.Linear(shape.dimension, shape.width)
        self.popularity = nn.Parameter(torch.zeros(len(text)))
        self.returns = nn.Linear(shape.dimension, 1)

    def items(self, text: torch.Tensor) -> torch.Tensor:
        """Embeddings (v, width) of item texts; those beyond the trained ones have no learned difference."""
        extra = len(text) - len(self.difference)
        embedded: torch.Tensor = self.project(text) + functional.pad(self.difference, (0, 0, 0, extra))
        return embedded

    def forward(self, batch: Batch, items: torch.Tensor) -> torch.Tensor:
        """Customer vectors (b, dimension)."""
        size, length = batch.ages.shape
        bags = functional.embedding_bag(
            batch.items, items, batch.offsets, mode="sum", per_sample_weights=batch.weights.to(items.dtype)
        ).view(size, length, -1)
        known = batch.known[..., None]
        steps = bags + self.spend(batch.spend[..., None]) + self.positions(batch.ages, batch.gaps)
        now = self.now + self.positions(torch.zeros(size, 1, device=bags.device), batch.last[:, None])
        sequence = self.norm(torch.cat([steps * known, now], 1))
        if self.shape.kind == "lstm":
            states, _ = self.body(sequence)
        else:
            padded = functional.pad(~batch.known, (0, 1))
            states = self.body(sequence, src_key_padding_mask=padded)
        count = known.sum(1).clamp(min=1)
        means = [(values * known).sum(1) / count for values in (states[:, :-1], bags)]
        out: torch.Tensor = self.out(torch.cat([states[:, -1], *means], -1))
        return out

    def next_items(self, vectors: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Scores (b, v) of what is bought next."""
        return self.ask(vectors) @ items.T + self.popularity
