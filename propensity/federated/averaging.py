"""Federated averaging (McMahan et al. 2017, arXiv:1602.05629): stores train, their weights are averaged, no row moves."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from propensity.federated.stores import Store
from segments.ports import Progress, silent


@dataclass(frozen=True)
class Averaging:
    """rounds: of averaging. epochs: over a store's own rows in each round. batch: rows of a step. decay: weight decay,
    which a store with few rows needs."""

    rounds: int = 30
    epochs: int = 1
    batch: int = 64
    rate: float = 0.2
    decay: float = 1e-3
    seed: int = 1


def train_federated(
    stores: Sequence[Store], start: nn.Module, settings: Averaging = Averaging(), progress: Progress = silent
) -> nn.Module:
    """A model that all stores trained; what leaves a store is its weights and how many rows they were learned on."""
    model = copy.deepcopy(start)
    total = sum(len(store) for store in stores)
    for turn in range(settings.rounds):
        progress(turn / settings.rounds, f"round {turn + 1} of {settings.rounds}")
        sums = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
        for place, store in enumerate(stores):
            local = copy.deepcopy(model)
            train_here(local, store, settings, seed=settings.seed + turn * len(stores) + place)
            for name, value in local.state_dict().items():
                sums[name] += value * (len(store) / total)
        model.load_state_dict(sums)
    progress(1.0, "rounds done")
    return model


def train_alone(store: Store, start: nn.Module, settings: Averaging = Averaging()) -> nn.Module:
    """What one store, or all rows in one place, learns in as many passes over the rows."""
    model = copy.deepcopy(start)
    for turn in range(settings.rounds):
        train_here(model, store, settings, settings.seed + turn)
    return model


def train_here(model: nn.Module, store: Store, settings: Averaging, seed: int) -> None:
    """One store's epochs of one round, in place."""
    optimiser = torch.optim.SGD(model.parameters(), settings.rate, weight_decay=settings.decay)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(store), generator=generator).split(settings.batch):
            optimiser.zero_grad()
            said = model(store.features[rows]).squeeze(1)
            binary_cross_entropy_with_logits(said, store.labels[rows]).backward()
            optimiser.step()


def joined(stores: Sequence[Store]) -> Store:
    """All rows in one place: what federated training does without, for comparison."""
    return Store(
        "all",
        torch.cat([store.features for store in stores]),
        torch.cat([store.labels for store in stores]),
        np.concatenate([store.customers for store in stores]),
    )
