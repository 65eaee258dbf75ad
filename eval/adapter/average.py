"""The mean of two adapters of one model and shape, which reads new voices better than either of two that were trained on.

python -m eval.adapter.average --adapters first.gguf second.gguf --out sketch.gguf

Wortsman et al. (2022), "Model soups": weights of one model that was fine-tuned twice lie in one basin, and their mean is
often the better model.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np


def average(first: Path, second: Path, out: Path) -> int:
    """Write the mean of the two adapters' matrices; returns the number of tensors. The file is whole or not there.

    Raises ValueError for adapters that differ in layers, rank or scale.
    """
    import gguf

    one, other = gguf.GGUFReader(first), gguf.GGUFReader(second)
    beside = {tensor.name: tensor.data for tensor in other.tensors}
    for name in ("general.architecture", "adapter.lora.alpha"):
        if _field(one, name) != _field(other, name):
            raise ValueError(
                f"{name}: {_field(one, name)} in {first.name}, {_field(other, name)} in {second.name}."
            )
    partial = out.with_name(out.name + ".partial")
    writer = gguf.GGUFWriter(partial, _field(one, "general.architecture"))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(_field(one, "adapter.lora.alpha")))
    for tensor in one.tensors:
        there = beside.pop(tensor.name, None)
        if there is None or there.shape != tensor.data.shape:
            raise ValueError(f"{tensor.name}: not of the same shape in {second.name}.")
        mean = (tensor.data.astype(np.float32) + there.astype(np.float32)) / 2
        writer.add_tensor(tensor.name, mean.astype(np.float16))
    if beside:
        raise ValueError(f"{min(beside)}: not in {first.name}.")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)
    return len(one.tensors)


def _field(reader: Any, name: str) -> Any:
    return reader.get_field(name).contents()


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
