"""How fast the sequence encoder trains, in events a second, against the machine's own matrix rate in the same run.

    python -m eval.bench.encoder_speed [--customers 50000] [--batches 96,1024] [--steps 60] [--width 64]

Histories are drawn here (60 shopping days of 8 goods a customer, 5,000 goods): speed does not depend on what was bought. An
event is one good on one shopping day that the network reads. Arithmetic is counted by PyTorch over one training step
(forward and backward; looking up the goods is not arithmetic and not counted) and set against a large matrix product: in
bfloat16 on a GPU, where the encoder trains in mixed precision, in float32 on a CPU.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from indexes.encoder.histories import Histories, before
from indexes.encoder.network import KINDS, Kind, Shape
from indexes.encoder.training import Training, train

DAYS, GOODS_A_DAY, GOODS, TEXT = 60, 8, 5_000, 384
YEAR = 365
WARM = 10
SEED = 7


def drawn(customers: int) -> tuple[Histories, np.ndarray]:
    """Histories of a year, and (GOODS, TEXT) vectors of the goods."""
    random = np.random.default_rng(SEED)
    days = np.sort(random.random((customers, YEAR)).argsort(1)[:, :DAYS], axis=1).ravel()
    steps = customers * DAYS
    text = random.normal(size=(GOODS, TEXT)).astype(np.float32)
    found = Histories(
        tuple(str(number) for number in range(customers)),
        tuple(str(number) for number in range(GOODS)),
        np.arange(customers + 1) * DAYS,
        days.astype(np.int64),
        random.normal(3, 1, steps).astype(np.float32),
        np.arange(steps + 1) * GOODS_A_DAY,
        random.integers(0, GOODS, steps * GOODS_A_DAY),
        np.full(steps * GOODS_A_DAY, 1 / GOODS_A_DAY, np.float32),
    )
    return found, text


def matrix_rate(device: str) -> float:
    """Floating-point operations a second of a large matrix product, the median of ten."""
    size, kind = (8192, torch.bfloat16) if device == "cuda" else (2048, torch.float32)
    left, right = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    took = []
    for _ in range(13):
        began = time.perf_counter()
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - began)
    return float(2 * size**3 / np.median(took[3:]))


def events_a_step(found: Histories, shape: Shape, training: Training) -> float:
    """Events in a training step: two dates of each of its customers, drawn as training draws them."""
    random = np.random.default_rng(SEED)
    customers = random.integers(0, len(found.starts) - 1, 512)
    earliest = found.days[found.starts[customers]] + training.least_history
    read = before(
        found, customers, random.integers(earliest, YEAR - training.horizon + 1), shape.length
    ).items
    return 2 * training.customers * len(read) / len(customers)


def arithmetic(found: Histories, text: np.ndarray, shape: Shape, training: Training) -> float:
    """Floating-point operations of one training step: those of two less those of one."""
    counted = []
    for steps in (1, 2):
        with tempfile.TemporaryDirectory() as folder, FlopCounterMode(display=False) as counter:
            train(found, text, YEAR, Path(folder), shape, replace(training, steps=steps, every=steps))
        counted.append(counter.get_total_flops())
    return float(counted[1] - counted[0])


def seconds_a_step(found: Histories, text: np.ndarray, shape: Shape, training: Training) -> float:
    """Of training, without the first steps and what is done once."""
    at: dict[int, float] = {}

    def progress(share: float, _: str) -> None:
        at[round(share * training.steps)] = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        train(found, text, YEAR, Path(folder), shape, training, progress)
    return (at[training.steps - 1] - at[WARM]) / (training.steps - 1 - WARM)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--batches", default="96,1024", help="customers a step")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--width", type=int, default=Shape().width)
    asked = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    found, text = drawn(asked.customers)
    rate = matrix_rate(device)
    name = (
        torch.cuda.get_device_name()
        if device == "cuda"
        else f"{torch.get_num_threads()} threads of the processor"
    )
    table = Table(title=f"{name}: {rate / 1e12:.2f} TFLOP/s in a matrix product")
    for column in ("encoder", "customers a step", "ms a step", "events/s", "TFLOP/s", "of the matrix rate"):
        table.add_column(column)
    for kind in KINDS:
        for batch in map(int, asked.batches.split(",")):
            table.add_row(*_row(kind, asked.width, batch, asked.steps, found, text, rate))
    Console(width=120).print(table)


def _row(
    kind: Kind, width: int, batch: int, steps: int, found: Histories, text: np.ndarray, rate: float
) -> list[str]:
    shape, training = Shape(kind=kind, width=width), Training(steps=steps, customers=batch, every=steps)
    took = seconds_a_step(found, text, shape, training)
    done = arithmetic(found, text, shape, training) / took
    events = events_a_step(found, shape, training) / took
    return [
        kind,
        f"{batch}",
        f"{1000 * took:.1f}",
        f"{events:,.0f}",
        f"{done / 1e12:.3f}",
        f"{done / rate:.2%}",
    ]


if __name__ == "__main__":
    main()
