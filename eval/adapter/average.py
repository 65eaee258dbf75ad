"""The mean of two adapters of one model and shape, which reads new voices better than either of two that were trained on.

python -m eval.adapter.average --adapters first.gguf second.gguf --out sketch.gguf

Wortsman et al. (2022), "Model soups": weights of one model that was fine-tuned twice lie in one basin, and their mean is
often the better model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from eval.adapter.export import ALPHA, ARCHITECTURE, field, write


def average(first: Path, second: Path, out: Path) -> int:
    """Write the mean of the two adapters' matrices; returns the number of tensors. The file is whole or not there.

    Raises ValueError for adapters that differ in layers, rank or scale.
    """
    import gguf

    one, other = gguf.GGUFReader(first), gguf.GGUFReader(second)
    for name in (ARCHITECTURE, ALPHA):
        if field(one, name) != field(other, name):
            raise ValueError(
                f"{name}: {field(one, name)} in {first.name}, {field(other, name)} in {second.name}."
            )
    beside = {tensor.name: tensor.data for tensor in other.tensors}
    if alone := beside.keys() ^ {tensor.name for tensor in one.tensors}:
        raise ValueError(f"{min(alone)}: not in both {first.name} and {second.name}.")
    means = dict[str, np.ndarray]()
    for tensor in one.tensors:
        there = beside[tensor.name]
        if there.shape != tensor.data.shape:
            raise ValueError(f"{tensor.name}: not of the same shape in {second.name}.")
        means[tensor.name] = ((tensor.data.astype(np.float32) + there) / 2).astype(np.float16)
    write(out, str(field(one, ARCHITECTURE)), float(str(field(one, ALPHA))), means)
    return len(means)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--adapters", type=Path, nargs=2, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    first, second = asked.adapters
    written = average(first, second, asked.out)
    print(f"{asked.out}: {written} tensors, {asked.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
