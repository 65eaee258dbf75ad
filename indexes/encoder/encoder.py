"""A trained encoder as a file, and customers' vectors by it, as of any date."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from indexes.behaviour import BehaviourVectors
from indexes.encoder.decision import TRAINED
from indexes.encoder.histories import before, day_number, histories
from indexes.encoder.network import Network, Shape
from indexes.encoder.training import Training, train
from segments.atomic import beside
from segments.errors import ChecksumError, DataError, NotBuiltError
from segments.ports import Progress, TextEncoder, silent

BLOCK = 512


@dataclass(frozen=True)
class LearnedEncoder:
    """A network, the item texts it was trained on, and the text encoder they came through."""

    network: Network
    texts: tuple[str, ...]
    text: TextEncoder

    @property
    def name(self) -> str:
        """Kind, text encoder and a hash of the weights: vectors of the same name have meaning together."""
        digest = hashlib.sha256()
        for value in self.network.state_dict().values():
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return f"{self.network.shape.kind}:{self.text.name}:{digest.hexdigest()[:8]}"

    def encode(
        self, purchases: pd.DataFrame, items: pd.DataFrame, customer_ids: Sequence[str], as_of: date
    ) -> BehaviourVectors:
        """Vectors of the customers from purchases before `as_of`, in id order; tables as for `train_encoder`."""
        ids = sorted(customer_ids)
        rows = purchases[purchases["ts"] < pd.Timestamp(as_of)]
        found = histories(rows, items, ids, self.texts)
        device = next(self.network.parameters()).device
        self.network.eval()
        blocks = []
        with torch.no_grad():
            embedded = self.network.items(torch.from_numpy(self.text.encode(found.texts)).to(device))
            for start in range(0, len(ids), BLOCK):
                block = np.arange(start, min(start + BLOCK, len(ids)))
                cuts = np.full(len(block), day_number(as_of))
                batch = before(found, block, cuts, self.network.shape.length).to(device)
                blocks.append(functional.normalize(self.network(batch, embedded), dim=1).cpu())
        return BehaviourVectors(tuple(ids), torch.cat(blocks).numpy(), self.name, as_of)

    def to_bytes(self) -> bytes:
        """The network, its item texts, and the name of the text encoder they came through."""
        network = {name: value.cpu() for name, value in self.network.state_dict().items()}
        shape = asdict(self.network.shape)
        buffer = io.BytesIO()
        torch.save({"shape": shape, "texts": self.texts, "text": self.text.name, "network": network}, buffer)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, texts: Callable[[str], TextEncoder]) -> LearnedEncoder:
        """What `to_bytes` gave. texts: the text encoder of a name."""
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        text, known = texts(state["text"]), tuple(state["texts"])
        network = Network(Shape(**state["shape"]), torch.zeros(len(known), text.dimension))
        network.load_state_dict(state["network"])
        return cls(network, known, text)

    def save(self, folder: Path) -> None:
        """Write the encoder atomically."""
        folder.mkdir(parents=True, exist_ok=True)
        with beside(folder / TRAINED) as partial:
            partial.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, folder: Path, text: TextEncoder) -> LearnedEncoder:
        """Read a saved encoder. Raises NotBuiltError, ChecksumError for a damaged one, or DataError when another text
        encoder made it."""
        if not (folder / TRAINED).exists():
            raise NotBuiltError(
                f"There is no behaviour encoder in {folder}; run: segassist index train-encoder"
            )

        def same(name: str) -> TextEncoder:
            if name != text.name:
                raise DataError(
                    f"encoder: '{text.name}' is not the text encoder it was trained with ('{name}'); "
                    "run: segassist index train-encoder"
                )
            return text

        try:
            return cls.from_bytes((folder / TRAINED).read_bytes(), same)
        except (RuntimeError, UnpicklingError, EOFError) as error:
            raise ChecksumError(
                f"{folder / TRAINED} is damaged; train it again with: segassist index train-encoder"
            ) from error


def joined(aggregate: BehaviourVectors, learned: BehaviourVectors) -> BehaviourVectors:
    """The two vectors of each customer side by side, of equal weight. Raises DataError for other customers."""
    if aggregate.customer_ids != learned.customer_ids:
        raise DataError("vectors: both must be of the same customers, in the same order.")
    matrix = np.hstack([aggregate.matrix, learned.matrix]) / np.float32(np.sqrt(2))
    return BehaviourVectors(
        aggregate.customer_ids, matrix, f"{aggregate.encoder} + {learned.encoder}", aggregate.as_of
    )


def train_encoder(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    text: TextEncoder,
    as_of: date,
    folder: Path,
    shape: Shape | None = None,
    training: Training | None = None,
    progress: Progress = silent,
) -> LearnedEncoder:
    """Train on purchases before `as_of`, checkpoints in `folder`, and save the encoder there.

    purchases: customer_id, item_id, ts, value. items: item_id, department, category, name. Raises DataError
    without purchases.
    """
    rows = purchases[purchases["ts"] < pd.Timestamp(as_of)]
    found = histories(rows, items, sorted(rows["customer_id"].unique()))
    progress(0.0, f"{len(found.texts)} item texts, {len(found.days)} shopping days")
    network = train(found, text.encode(found.texts), day_number(as_of), folder, shape, training, progress)
    encoder = LearnedEncoder(network, found.texts, text)
    encoder.save(folder)
    return encoder
