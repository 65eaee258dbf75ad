"""Federated training with differential privacy: DP-SGD (Abadi et al. 2016, arXiv:1607.00133) over all stores' sums.

In each step every store draws its customers independently, clips the gradient of each one, and sends the sum with its
share of the noise: the sum of all stores has the whole of it. That holds the promise against everyone who sees the sums
of all stores or the model; a server that sees a single store's message must be kept from it by secure aggregation
(Bonawitz et al. 2017), which is not part of this simulation. Rows are scaled by public constants, and each customer
has one row, so that a person is what is protected. Accounting is Rényi (Mironov 2017), by Opacus.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import binary_cross_entropy_with_logits

from propensity.federated.stores import Store
from segments.errors import NotBuiltError, UserError
from segments.ports import Progress, silent


@dataclass(frozen=True)
class Privacy:
    """epsilon, delta: what is promised for each customer. clip: largest norm of a customer's gradient. share: with which
    probability a customer is in a step."""

    epsilon: float
    delta: float = 1e-5
    clip: float = 1.0
    share: float = 0.1
    steps: int = 300
    rate: float = 1.0
    seed: int = 1


def noise_for(privacy: Privacy) -> float:
    """The noise, as a multiple of `clip`, that keeps the promise over all steps. Raises NotBuiltError without Opacus."""
    if not privacy.epsilon > 0:
        raise UserError(
            f"epsilon must be above 0; got {privacy.epsilon}.",
            f"epsilon：必须大于0，而给的是{privacy.epsilon}。",
        )
    try:
        from opacus.accountants.utils import get_noise_multiplier
    except ImportError as error:
        raise NotBuiltError(
            "Private training needs Opacus; run: pip install 'segment-assistant[private]'"
        ) from error
    return float(
        get_noise_multiplier(
            target_epsilon=privacy.epsilon,
            target_delta=privacy.delta,
            sample_rate=privacy.share,
            steps=privacy.steps,
            accountant="rdp",
        )
    )


def train_private(
    stores: Sequence[Store], start: nn.Module, privacy: Privacy, progress: Progress = silent
) -> nn.Module:
    """A model that all stores trained under the promise. Rows: one a customer (`Store.one_row_each`)."""
    noise = noise_for(privacy)
    model = copy.deepcopy(start)
    generator = torch.Generator().manual_seed(privacy.seed)
    # The expected number, not the drawn one: how many were drawn is itself about persons.
    expected = privacy.share * sum(len(store) for store in stores)
    for step in range(privacy.steps):
        progress(step / privacy.steps, f"step {step + 1} of {privacy.steps}")
        total = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
        for store in stores:
            for name, value in message(model, store, privacy, noise / len(stores) ** 0.5, generator).items():
                total[name] += value
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.sub_(privacy.rate * total[name] / expected)
    progress(1.0, "steps done")
    return model


def message(
    model: nn.Module, store: Store, privacy: Privacy, noise: float, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """What one store sends in one step: the clipped gradients of the drawn customers, summed, with its noise."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    drawn = torch.rand(len(store), generator=generator) < privacy.share
    gradients = clipped(model, parameters, store.features[drawn], store.labels[drawn], privacy.clip)
    return {
        name: value + noise * privacy.clip * torch.randn(value.shape, generator=generator)
        for name, value in gradients.items()
    }


def clipped(
    model: nn.Module,
    parameters: dict[str, torch.Tensor],
    features: torch.Tensor,
    labels: torch.Tensor,
    clip: float,
) -> dict[str, torch.Tensor]:
    """The sum of the rows' gradients, each scaled down to a norm of at most `clip`."""
    if len(labels) == 0:
        return {name: torch.zeros_like(value) for name, value in parameters.items()}

    def loss(chosen: dict[str, torch.Tensor], row: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        said = functional_call(model, chosen, (row.unsqueeze(0),)).squeeze()
        return binary_cross_entropy_with_logits(said, label)

    each = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, features, labels)
    norms = torch.stack([value.flatten(1).norm(dim=1) for value in each.values()]).norm(dim=0)
    factors = (clip / norms.clamp(min=1e-12)).clamp(max=1.0)
    return {name: torch.tensordot(factors, value, dims=1) for name, value in each.items()}
