"""A GGUF model, and an adapter in GGUF, as the folders that vLLM serves: the way back of `eval.adapter.export`.

    python -m eval.adapter.unpack --out FOLDER [--model FILE.gguf] [--adapter sketch.gguf]

Without --model, the packaged model and its adapter. The model becomes FOLDER/model, in bfloat16; the adapter
FOLDER/sketch, as peft writes one. Each is whole or not there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval.adapter.export import ALPHA, ARCHITECTURE, field
from serving.llm.weights import ADAPTER, ensure_model

PLACES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""A projection's name in GGUF, and in the models of the Llama and Qwen families."""


def unpack_model(model: Path, out: Path) -> None:
    """Write the model and its tokenizer as a transformers folder."""
    from eval.adapter.train import load_base

    partial = _fresh(out)
    base, tokenizer = load_base(str(model), "cpu")
    tokenizer.save_pretrained(partial)
    base.save_pretrained(partial)
    os.replace(partial, out)


def unpack_adapter(adapter: Path, out: Path) -> int:
    """Write the adapter as a peft folder; returns the number of matrices. Raises ValueError for a layer it cannot name."""
    import gguf
    from safetensors.numpy import save_file

    reader = gguf.GGUFReader(adapter)
    matrices = {_place(tensor.name): np.ascontiguousarray(tensor.data) for tensor in reader.tensors}
    partial = _fresh(out)
    save_file(matrices, partial / "adapter_model.safetensors")
    settings = _settings(matrices, float(str(field(reader, ALPHA))), str(field(reader, ARCHITECTURE)))
    (partial / "adapter_config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    os.replace(partial, out)
    return len(matrices)


def _place(name: str) -> str:
    """'blk.3.attn_q.weight.lora_a' as peft calls it."""
    _, layer, projection, _, side = name.split(".")
    if projection not in PLACES:
        raise ValueError(f"{name}: none of {', '.join(PLACES)}.")
    return f"base_model.model.model.layers.{layer}.{PLACES[projection]}.lora_{side[-1].upper()}.weight"


def _settings(matrices: Mapping[str, np.ndarray], alpha: float, architecture: str) -> dict[str, object]:
    ranks = {len(values) for name, values in matrices.items() if ".lora_A." in name}
    if len(ranks) != 1:
        raise ValueError(f"The adapter's layers are of the ranks {sorted(ranks)}; one rank is served.")
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": architecture,
        "r": ranks.pop(),
        "lora_alpha": alpha,
        "target_modules": sorted({name.split(".")[-3] for name in matrices}),
        "bias": "none",
    }


def _fresh(out: Path) -> Path:
    """An empty folder beside the one to be."""
    partial = out.with_name(out.name + ".partial")
    for old in (partial, out):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--adapter", type=Path, default=None)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    model, adapter = (asked.model, asked.adapter) if asked.model else (ensure_model(), ADAPTER)
    if adapter is not None:
        print(f"{asked.out / 'sketch'}: {unpack_adapter(adapter, asked.out / 'sketch')} matrices")
    unpack_model(model, asked.out / "model")
    print(f"{asked.out / 'model'}: the model in bfloat16")


if __name__ == "__main__":
    main()
