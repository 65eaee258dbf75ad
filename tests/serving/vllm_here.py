"""Where `make vllm` has put the real vLLM and its weights."""

import os
from pathlib import Path

import pytest

FLAGS = Path(__file__).parent / "vllm_flags.json"
"""The flags of one release of vLLM, recorded from its own parser."""


def needed() -> tuple[str, Path]:
    """vLLM's interpreter and the folder of weights, or the test is skipped."""
    python, weights = (os.environ.get(f"SEGASSIST_VLLM_{name}", "") for name in ("PYTHON", "WEIGHTS"))
    if not python or not weights:
        pytest.skip("vLLM is not asked for: `make vllm` installs it and runs this")
    return python, Path(weights)
