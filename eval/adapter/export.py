"""A trained adapter as GGUF, for the embedded server; vLLM takes the adapter's folder as it is.

python -m eval.adapter.export --adapter FOLDER --model FILE.gguf --out sketch.gguf
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

ARCHITECTURE, ALPHA = "general.architecture", "adapter.lora.alpha"


def export(adapter: Path, model: Path, out: Path) -> int:
    """Write the adapter for the model's architecture; returns the number of tensors. The file is whole or not there.

    Raises ValueError for a layer that the model does not have.
    """
    import gguf

    reader = gguf.GGUFReader(model)
    architecture = str(field(reader, ARCHITECTURE))
    blocks = int(str(field(reader, f"{architecture}.block_count")))
    named = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(named[architecture], blocks)
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    tensors = dict[str, np.ndarray]()
    for layer, side, values in _tensors(adapter / "adapter_model.safetensors"):
        base = names.get_name(layer, try_suffixes=(".weight",))
        if base is None:
            raise ValueError(f"{layer}: the model {model.name} has no such layer.")
        tensors[f"{base}.weight.lora_{side}"] = values
    write(out, architecture, float(settings["lora_alpha"]), tensors)
    return len(tensors)


def write(out: Path, architecture: str, alpha: float, tensors: Mapping[str, np.ndarray]) -> None:
    """Write an adapter's matrices by name as GGUF; the file is whole or not there."""
    import gguf

    partial = out.with_name(out.name + ".partial")
    writer = gguf.GGUFWriter(partial, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32(ALPHA, alpha)
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)


def field(reader: object, name: str) -> object:
    """What a GGUF file says of itself under a name."""
    return reader.get_field(name).contents()  # type: ignore[attr-defined]


def _tensors(file: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """(layer of the model, 'a' or 'b', values): a is rank x inputs, b is outputs x rank."""
    from safetensors.torch import load_file

    for name, tensor in sorted(load_file(file).items()):
        layer, _, side = name.removeprefix("base_model.model.").removesuffix(".weight").rpartition(".lora_")
        yield layer, side.lower(), tensor.float().numpy().astype(np.float16)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the GGUF that the adapter was trained on")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    written = export(asked.adapter, asked.model, asked.out)
    print(f"{asked.out}: {written} tensors, {asked.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
