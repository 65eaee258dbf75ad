"""vLLM: whether it can run here, and the command that serves a model with it.

Flags as of vLLM 0.32 (`vllm serve --help`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
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
    tensor_parallel: GPUs that share one copy of the model. data_parallel: copies of the model. quantization: of the
    weights as they are loaded (fp8 halves them); '' as they are.
    """

    context: int = 8192
    memory: float = 0.85
    dtype: str = "auto"
    tensor_parallel: int = 1
    data_parallel: int = 1
    quantization: str = ""


CONSUMER, LARGE, SEVERAL = "gpu-24gb", "gpu-80gb", "gpus"
PROFILES = {
    CONSUMER: VLLMOptions(memory=0.9, quantization="fp8"),
    LARGE: VLLMOptions(memory=0.9),
    SEVERAL: VLLMOptions(memory=0.9),
}
"""One GPU of 24 GB, whose weights in FP8 (8 GB of an 8B model) leave room for many conversations; one H100 or H200; one
copy of the model on each of several. Not tried on GPUs yet."""
LEAST_GIB = {CONSUMER: 22, LARGE: 70}
"""GPU memory that a profile takes; a card of 24 GB tells of a little less."""


@dataclass(frozen=True)
class GPU:
    """One card, as nvidia-smi tells it."""

    name: str
    gib: float


def gpus() -> list[GPU]:
    """The cards that nvidia-smi lists; none where it is not, or says something else."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
        rows = [line.rsplit(",", 1) for line in done.stdout.splitlines() if "," in line]
        return [GPU(name.strip(), int(mib) / 1024) for name, mib in rows]
    except (subprocess.TimeoutExpired, ValueError):
        return []


def choose_profile(asked: str, found: list[GPU]) -> tuple[VLLMOptions, str]:
    """(options, why) of a profile by name, or with 'auto' of the one that fits the cards. Raises OperatorError."""
    if asked not in ("auto", *PROFILES):
        raise OperatorError(f"llm_profile: '{asked}' is not one of auto, {', '.join(PROFILES)}.")
    cards = (
        ", ".join(f"{gpu.name} with {gpu.gib:.0f} GiB" for gpu in found) or "no GPU that nvidia-smi tells of"
    )
    name = asked
    if asked == "auto":
        least = min((gpu.gib for gpu in found), default=0.0)
        if least < LEAST_GIB[CONSUMER]:
            return VLLMOptions(), f"vLLM's own measure, as no profile fits {cards}"
        name = SEVERAL if len(found) > 1 else LARGE if least >= LEAST_GIB[LARGE] else CONSUMER
    options = PROFILES[name]
    if name == SEVERAL:
        small = min((gpu.gib for gpu in found), default=0.0) < LEAST_GIB[LARGE]
        options = replace(options, data_parallel=max(1, len(found)), quantization="fp8" if small else "")
    return options, f"profile {name}, {'as asked for' if asked != 'auto' else f'for {cards}'}"


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
        *(("--quantization", options.quantization) if options.quantization else ()),
        *(("--enable-lora", "--max-lora-rank", str(MAX_RANK)) if adapter else ()),
        *(("--lora-modules", f"{SKETCH}={adapter}") if adapter else ()),
    ]
