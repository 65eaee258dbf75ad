"""vLLM: whether it can run here, and the command that serves a model with it.

Flags as of vLLM 0.32 (`vllm serve --help`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from segments.errors import OperatorError
from serving.llm.probe import SKETCH

MODEL = "Qwen/Qwen3-8B"
"""What vLLM serves unless settings name another: the class of model DESIGN names for one GPU."""
MAX_RANK = 16
"""Of LoRA adapters, which vLLM makes room for when it starts."""
INSTALL = "pip install 'segment-assistant[gpu]'"


@dataclass(frozen=True)
class VLLMOptions:
    """How much of the hardware to use.

    context: tokens of prompt and answer together. memory: share (0..1) of each GPU's memory.
    tensor_parallel: GPUs that share one copy of the model. data_parallel: copies of the model.
    """

    context: int = 8192
    memory: float = 0.85
    dtype: str = "auto"
    tensor_parallel: int = 1
    data_parallel: int = 1


def installed() -> bool:
    """Whether the package is here (not whether it works)."""
    return find_spec("vllm") is not None


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and b"GPU" in done.stdout


def check() -> None:
    """Raise OperatorError when vLLM cannot run here."""
    if not installed():
        raise OperatorError(f"vLLM is not installed; run: {INSTALL}")
    if not has_gpu():
        raise OperatorError(
            "vLLM needs an NVIDIA GPU and none answers (nvidia-smi -L); use --backend embedded."
        )


def command(model: str, host: str, port: int, options: VLLMOptions, adapter: str = "") -> list[str]:
    """The command line. Structured outputs (`response_format: json_schema`) are on without a flag.

    Thinking is off because an answer has a budget of a few hundred tokens; the model's own sampling
    defaults are left out because both backends must answer alike (some set a repetition penalty); and no
    web page of another origin may call the server.
    """
    return [
        *(sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", model),
        *("--served-model-name", model),
        *("--host", host, "--port", str(port)),
        "--enable-prefix-caching",
        *("--max-model-len", str(options.context)),
        *("--gpu-memory-utilization", str(options.memory)),
        *("--dtype", options.dtype),
        *("--tensor-parallel-size", str(options.tensor_parallel)),
        *("--data-parallel-size", str(options.data_parallel)),
        *("--generation-config", "vllm"),
        *("--default-chat-template-kwargs", '{"enable_thinking": false}'),
        *("--allowed-origins", "[]"),
        *(("--enable-lora", "--max-lora-rank", str(MAX_RANK)) if adapter else ()),
        *(("--lora-modules", f"{SKETCH}={adapter}") if adapter else ()),
    ]
