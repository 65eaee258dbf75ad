"""Whether a language model fits: sizes against published ones, cards as nvidia-smi tells of them, and what doctor says."""

import json

import pytest

from segments.errors import DataError
from serving.doctor import examine
from serving.llm import fit, vllm
from serving.llm.probe import free_port
from serving.llm.vllm import CONSUMER, GPU, LARGE, PROFILES, Installed, VLLMOptions

SMI = """#!/bin/sh
case "$1" in
  -L) echo "GPU 0: made up (UUID: GPU-1)" ;;
  *) printf '%s\\n' {lines} ;;
esac
"""
H100, H100_BUSY = "NVIDIA H100 80GB HBM3, 81559, 81008", "NVIDIA H100 80GB HBM3, 81559, 40112"
RTX_4090, T4 = "NVIDIA GeForce RTX 4090, 24564, 24080", "Tesla T4, 15360, 14918"


@pytest.mark.parametrize(
    ("name", "billions"),
    [("0.6B", 0.596), ("1.7B", 1.72), ("4B", 4.02), ("8B", 8.19), ("14B", 14.77), ("32B", 32.76)],
)
def test_the_family_has_its_published_numbers_of_weights(name, billions):
    shape = fit.FAMILY[f"Qwen/Qwen3-{name}"]
    assert (shape.linear + shape.tables) / 1e9 == pytest.approx(billions, rel=0.005)


def test_what_a_conversation_takes_of_a_card():
    shape = fit.FAMILY["Qwen/Qwen3-8B"]
    assert shape.cache == 144 * 1024, "36 layers, 8 heads of 128, keys and values, two bytes each"
    whole, halves = (fit.need_of(shape, VLLMOptions(tensor_parallel=n)) for n in (1, 2))
    assert whole.cache == 144 * 1024 * 8192
    assert (halves.weights, halves.cache) == (whole.weights / 2, whole.cache / 2)
    eighth = fit.need_of(shape, VLLMOptions(quantization="fp8")).weights
    assert eighth == pytest.approx(shape.linear + 2 * shape.tables)


@pytest.mark.parametrize(
    ("model", "options", "cards", "fits", "said"),
    [
        ("Qwen/Qwen3-8B", PROFILES[LARGE], [GPU("H100", 79.6, 79.1)], True, "such conversations at once"),
        ("Qwen/Qwen3-8B", PROFILES[CONSUMER], [GPU("4090", 24.0, 23.5)], True, "in FP8 takes 9.4 GB"),
        ("Qwen/Qwen3-32B", PROFILES[CONSUMER], [GPU("4090", 24.0, 23.5)], False, "Qwen/Qwen3-14B would fit"),
        ("Qwen/Qwen3-14B", PROFILES["gpus"], [GPU("A10", 22.5, 22.0)] * 2, False, "in FP8, which"),
        ("Qwen/Qwen3-14B", PROFILES["gpus"], [GPU("A10", 22.5, 22.0)] * 2, False, "shared by 2 cards"),
        ("Qwen/Qwen3-8B", VLLMOptions(), [GPU("small", 3.0, 3.0)], False, "no model of the Qwen3 family"),
        ("Qwen/Qwen3-8B", PROFILES[LARGE], [GPU("H100", 79.6, 40.0)], False, "end what else runs on it"),
        ("somebody/else", PROFILES[LARGE], [GPU("H100", 79.6)], True, "not known before it is fetched"),
    ],
)
def test_a_model_fits_or_what_would_is_said(model, options, cards, fits, said):
    found = fit.on_gpus(model, options, cards)
    assert (found.fits, bool(found.way_out)) == (fits, not fits)
    assert said in f"{found.words} {found.way_out}"


def test_what_is_said_to_fit_does():
    """Every model that is named as a way out is found to fit itself, and the next larger one not."""
    names = list(fit.FAMILY)
    for gib in (6, 9, 15, 22, 44):
        cards = [GPU("a card", float(gib), float(gib))]
        found = fit.on_gpus("Qwen/Qwen3-32B", VLLMOptions(), cards)
        if found.fits:
            continue
        named = next(name for name in names if f"{name} would fit" in found.way_out)
        assert fit.on_gpus(named, VLLMOptions(), cards).fits
        following = names[names.index(named) + 1]
        assert not fit.on_gpus(following, VLLMOptions(), cards).fits


def test_a_folder_is_measured_by_its_files(tmp_path):
    config = {
        "num_hidden_layers": 2,
        "hidden_size": 64,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "vocab_size": 1000,
    }
    (tmp_path / "config.json").write_text(json.dumps({"text_config": config}))
    (tmp_path / "model.safetensors").write_bytes(b"0" * 5000)
    shape = fit.shape_of(str(tmp_path))
    assert (shape.kv_heads, shape.head, shape.cache) == (4, 16, 2 * 2 * 64 * 2)
    assert fit.weights_in(str(tmp_path)) == 5000
    assert "0.0 GB for its weights" in fit.on_gpus(str(tmp_path), VLLMOptions(), [GPU("x", 8.0)]).words
    (tmp_path / "config.json").write_text('{"num_hidden_layers": "many"}')
    with pytest.raises(DataError, match=r"config\.json does not say what shape"):
        fit.shape_of(str(tmp_path))


def test_the_embedded_model_fits_or_how_large_a_file_would_is_said():
    packaged = 1_117_320_768
    assert fit.in_memory(packaged, 3, 4e9).fits
    short = fit.in_memory(8e9, 1, 6e9)
    assert not short.fits
    most = float(short.way_out.split("at most ")[1].split(" GB")[0]) * 1e9
    assert fit.in_memory(most * 0.98, 1, 6e9).fits
    assert not fit.in_memory(most * 1.05, 1, 6e9).fits
    assert "no model would fit" in fit.in_memory(packaged, 3, 7e8).way_out


@pytest.mark.parametrize(
    ("lines", "settings", "level", "said"),
    [
        ([H100], "", "ok", "such conversations at once"),
        ([RTX_4090], "", "ok", "Qwen/Qwen3-8B in FP8 takes"),
        ([H100_BUSY], "", "fail", "39.2 GiB of NVIDIA H100 80GB HBM3 are free"),
        ([T4], 'llm_model = "Qwen/Qwen3-14B"\n', "fail", "Qwen/Qwen3-4B would fit (llm_model)"),
    ],
)
def test_doctor_says_whether_the_model_fits_the_cards(
    make_workspace, tmp_path, monkeypatch, lines, settings, level, said
):
    """nvidia-smi is a stand-in that prints what the real one prints, and vLLM is said to be installed."""
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text(SMI.format(lines=" ".join(f"'{line}'" for line in lines)))
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(smi.parent), prepend=":")
    monkeypatch.setattr(vllm, "installed", lambda _python="": Installed("python", "vllm", "0.32.0"))
    made = make_workspace(tmp_path / "w", f'llm_backend = "vllm"\n{settings}')
    found = {finding.part: finding for finding in examine(made, free_port("127.0.0.1"))}
    assert found["gpu"].what.startswith(lines[0].split(",")[0])
    assert found["llm memory"].level == level
    assert said in f"{found['llm memory'].what} {found['llm memory'].way_out}"


def test_doctor_says_whether_the_embedded_model_fits(make_workspace, tmp_path, monkeypatch):
    made = make_workspace(tmp_path / "w", 'llm_backend = "embedded"\n')
    for free, level in ((8e9, "ok"), (1.5e9, "warn")):
        monkeypatch.setattr("serving.doctor._free_memory", lambda free=free: free)
        found = next(f for f in examine(made, free_port("127.0.0.1")) if f.part == "llm memory")
        assert (found.level, "the model needs about 2.2 GB" in found.what) == (level, True)
