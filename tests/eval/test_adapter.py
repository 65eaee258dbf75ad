"""The adapter's recipe: definitions of the grammar, pairs, training that resumes, export, and the pairs that ship."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.sketch import compact, from_sketch, sketch_schema, to_sketch
from eval.adapter import edits
from eval.adapter.grammar import Grammar, Stock
from eval.adapter.pairs import HELD, draft, pair
from eval.adapter.variants import Words, variants
from eval.adapter.wording import wording
from eval.cases import load_cases
from segments.canonical import fingerprint
from segments.check import issues
from segments.codec import from_json
from segments.definition import conditions
from serving.llm.weights import ADAPTER

PAIRS = Path(__file__).parents[2] / "eval" / "adapter" / "pairs.jsonl"
EDITS = PAIRS.with_name("edit_pairs.jsonl")


@pytest.fixture(scope="module")
def rooms(opened: Rooms) -> Rooms:
    return opened


@pytest.fixture(scope="module")
def linker(rooms: Rooms) -> Linker:
    return make_linker(rooms, dense=False)


@pytest.fixture(scope="module")
def stock(rooms: Rooms, linker: Linker) -> Stock:
    warehouse = rooms.warehouse
    categories, channels = warehouse.item_values["category"][:150], warehouse.happened["channels"]
    return Stock.of(linker, warehouse.features(), categories, channels, ["purchase_30d"])


def shipped() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_definitions_of_the_grammar_hold_here_and_come_back_from_their_sketches(
    rooms: Rooms, linker: Linker, stock: Stock, language: Any
) -> None:
    schema = sketch_schema(rooms.warehouse.catalogue, stock.events, stock.outcomes)
    grammar, kinds = Grammar(stock, language, 1), Counter[str]()
    for _ in range(150):
        made = grammar.draft()
        if issues(made.node, rooms.audiences.vocabulary):
            continue
        kinds.update(type(condition).__name__ for condition in conditions(made.node))
        sketch = to_sketch(made.node, made.goods, made.times)
        jsonschema.validate(sketch, schema)
        again = from_sketch(json.loads(compact(sketch)), linker.goods, linker.time)
        assert fingerprint(again) == fingerprint(made.node), compact(sketch)
    assert len(kinds) >= 8
    assert sum(kinds.values()) > 200


def test_the_same_seed_draws_the_same(stock: Stock) -> None:
    first, second, other = (Grammar(stock, "en", seed) for seed in (5, 5, 6))
    drawn = [[grammar.draft().node for _ in range(20)] for grammar in (first, second, other)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_exact_words_have_the_requests_goods_and_times(rooms: Rooms, linker: Linker) -> None:
    node = from_json({"event": "purchase", "items": {"category": ["COFFEE"]}, "from_days_ago": 92})
    goods, times = linker.spoken("coffee in Q4")
    assert (
        wording(node, rooms.warehouse.catalogue, "en", "$", goods, times)
        == "customers who bought coffee in Q4"
    )


def test_no_test_question_is_drafted(rooms: Rooms, linker: Linker) -> None:
    drafts = draft(rooms, linker, "en", 60, 2026)
    golds = {fingerprint(g) for case in load_cases("test") if case.gold for g in (case.gold, *case.also)}
    made = [fingerprint(from_json(row["definition"])) for row in drafts]
    assert len(set(made)) == 60
    assert not golds & set(made)


def test_what_does_not_come_back_is_no_pair(linker: Linker) -> None:
    node = from_json({"event": "purchase", "items": {"text": ["gizzlement deluxe"]}})
    assert pair(linker, "en-1", "dev", "who bought it?", (node,), {}, {}) is None
    other = from_json({"event": "purchase", "items": {"category": ["COFFEE"]}})
    found = pair(linker, "en-1", "dev", "who bought coffee?", (node, other), {}, {})
    assert found is not None
    assert found.sketch == '{"event":"purchase","items":"coffee"}'


def test_the_pairs_that_ship_hold_and_keep_the_splits_apart(rooms: Rooms, linker: Linker) -> None:
    outcomes = sorted(rooms.audiences.vocabulary.outcomes or ())
    schema = sketch_schema(rooms.warehouse.catalogue, sorted(linker.events), outcomes)
    validator = jsonschema.Draft202012Validator(schema)
    rows = shipped()
    unsaid = [row["id"] for row in rows if not validator.is_valid(json.loads(row["sketch"]))]
    assert all(name.split("-")[1] == "lookalike" for name in unsaid), "only lookalikes are not sketched"
    assert {row["split"] for row in rows if HELD.search(row["id"])} == {"held"}
    asked = {turn for case in load_cases("test") for turn in case.turns}
    assert not asked & {row["request"] for row in rows}
    dev = {case.id for case in load_cases("dev")}
    assert {row["id"] for row in rows if row["source"] == "dev"} <= dev
    assert sum(row["language"] == "zh" for row in rows) > len(rows) / 4
    for row in rows[::40]:
        from_sketch(json.loads(row["sketch"]), linker.goods, linker.time)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_edit_leaves_the_segment_that_both_its_sketches_define(
    rooms: Rooms, linker: Linker, language: Any
) -> None:
    rows = [row for row in shipped() if row["language"] == language and row["split"] == "train"]
    editor = edits.Editor(rooms, linker, language, [json.loads(row["sketch"]) for row in rows], 3)
    drafts = edits.draft(editor, rows, 60)
    assert {row["kind"] for row in drafts} == set(edits.OFTEN)
    assert any(len(row["led"]) == 2 for row in drafts), "edits of edits"
    for row in drafts:
        said, named = (
            from_sketch(json.loads(row[key]), linker.goods, linker.time) for key in ("sketch", "named_sketch")
        )
        assert fingerprint(said) == fingerprint(named)
        assert rooms.audiences.members(said)
        assert "None" not in row["change"], "a change names what is there"


def test_an_edit_is_learned_after_the_messages_and_after_the_words_of_the_segment() -> None:
    row = {
        "id": "en-edit-1",
        "language": "en",
        "led": ["wine buyers", "only in May"],
        "told": "Customers who ....",
    }
    row |= {"change": "exclude anyone who bought tea", "sketch": "{}", "named_sketch": '{"a":1}'}
    said, told = edits.join([row], {"en-edit-1": "no tea drinkers"})
    assert (said["request"], said["sketch"]) == ("wine buyers. only in May. no tea drinkers", "{}")
    assert (told["request"], told["sketch"]) == ("Customers who .... no tea drinkers", '{"a":1}')
    assert edits.join([row], {"en-edit-1": "SKIP"}) == []
    assert edits.join([row], {})[0]["request"].endswith("exclude anyone who bought tea")


def test_the_edits_that_ship_hold_and_ask_nothing_of_the_test_split(linker: Linker) -> None:
    rows = [json.loads(line) for line in EDITS.read_text(encoding="utf-8").splitlines()]
    asked = {turn for case in load_cases("test") for turn in case.turns}
    assert not any(row["request"].endswith(f" {turn}") for row in rows[::2] for turn in asked)
    assert {row["split"] for row in rows} == {"train", "held"}
    for row in rows[::40]:
        from_sketch(json.loads(row["sketch"]), linker.goods, linker.time)


def test_variants_say_the_same_of_other_goods_times_and_numbers() -> None:
    sketch = (
        '{"event":"purchase","measure":"value","op":">","value":550,"items":"wine","when":"last quarter"}'
    )
    pair = {"id": "en-1", "language": "en", "split": "train", "sketch": sketch}
    pair["request"] = "Wine buyers above 550 dollars last quarter, please"
    made = variants(pair, Words(shipped()), 20, random.Random(3))
    assert len({row["request"] for row in made}) == len(made) > 10
    for row in made:
        said = json.loads(row["sketch"])
        goods, amount, time = said["items"], said["value"], said["when"]
        assert row["request"].lower() == f"{goods} buyers above {amount} dollars {time}, please".lower()
        assert (said["event"], said["op"], row["split"]) == ("purchase", ">", "train")
    for told in ("items", "value", "when"):
        assert len({json.loads(row["sketch"])[told] for row in made}) > 3


def test_a_variant_changes_nothing_that_is_said_twice_or_worked_out() -> None:
    words, draw = Words(shipped()), random.Random(3)
    new = '{"all_of":[{"event":"purchase","when":"in Q4"},{"not":{"event":"purchase","when":"before October 1"}}]}'
    worked_out = {"language": "en", "request": "who came for the first time in Q4?", "sketch": new}
    assert variants(worked_out, words, 20, draw) == []
    both = '{"all_of":[{"event":"purchase","items":"tea","from_days_ago":30},{"event":"purchase","items":"iced tea"}]}'
    twice = {
        "language": "en",
        "request": "tea in the last 30 days, iced tea ever; 30 of them",
        "sketch": both,
    }
    for row in variants(twice, words, 20, draw):
        assert row["request"].startswith("tea in the last 30 days, ")
        assert row["request"].endswith(" ever; 30 of them")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two random layers with a tokenizer of its own: it learns nothing useful, by the same code."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"]
    texts = [row["request"] + row["sketch"] for row in shipped()[:200]]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")
    fast.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    fast.save_pretrained(folder)
    config = Qwen2Config(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def run(
    tiny: Path, out: Path, steps: int, minutes: float = 5.0, resume: bool = False
) -> list[dict[str, float]]:
    from eval.adapter.train import train

    train([PAIRS], str(tiny), out, steps, minutes, 7, resume, Console(quiet=True))
    curve: list[dict[str, float]] = json.loads((out / "curve.json").read_text())
    return curve


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "adapter_model.safetensors"))


def test_training_learns_and_goes_on_where_it_stopped(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eval.adapter import train as room

    monkeypatch.setattr(room, "LEARNING_RATE", 5e-3)
    whole = run(tiny, tmp_path / "whole", 12)
    assert whole[-1]["step"] == 12
    assert whole[-1]["held_out"] < 6.5, "a random model of 600 words is at 6.4"
    learn, steps = room.Trainer.learn, []

    def interrupted(self: Any, batch: Any) -> float:
        if len(steps) == 5:
            self.save([{"step": 5.0}])
            raise KeyboardInterrupt
        steps.append(1)
        return learn(self, batch)

    monkeypatch.setattr(room.Trainer, "learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, tmp_path / "broken", 12)
    monkeypatch.setattr(room.Trainer, "learn", learn)
    curve = run(tiny, tmp_path / "broken", 12, resume=True)
    assert [point["step"] for point in curve] == [5.0, 12.0]
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert one.keys() == other.keys()
    assert all(bool((one[name] == other[name]).all()) for name in one)
    assert any(bool(tensor.abs().sum() > 0) for name, tensor in one.items() if "lora_B" in name)
    assert not any(".layers.0." in name for name in one), "the lowest layers stay as they are"


def test_an_adapter_is_written_as_gguf(tiny: Path, tmp_path: Path) -> None:
    import gguf

    from eval.adapter.export import export

    base = tmp_path / "base.gguf"
    writer = gguf.GGUFWriter(base, "qwen2")
    writer.add_block_count(3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    run(tiny, tmp_path / "adapter", 1)
    written = export(tmp_path / "adapter", base, tmp_path / "sketch.gguf")
    reader = gguf.GGUFReader(tmp_path / "sketch.gguf")
    names = {tensor.name: tuple(int(n) for n in tensor.shape) for tensor in reader.tensors}
    assert len(names) == written == 2 * 7 * 2
    assert names["blk.2.attn_q.weight.lora_a"] == (64, 16)
    assert names["blk.2.ffn_down.weight.lora_b"] == (16, 64)
    assert reader.get_field("adapter.lora.alpha").contents() == 32.0
    assert not (tmp_path / "sketch.gguf.partial").exists()


def test_the_packaged_adapter_comes_back_from_the_folder_that_vllm_takes(tmp_path: Path) -> None:
    import gguf

    from eval.adapter.export import export
    from eval.adapter.unpack import unpack_adapter

    base = tmp_path / "base.gguf"
    writer = gguf.GGUFWriter(base, "qwen2")
    writer.add_block_count(28)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    folder, again = tmp_path / "sketch", tmp_path / "sketch.gguf"
    assert unpack_adapter(ADAPTER, folder) == export(folder, base, again) == 280
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert (settings["r"], settings["lora_alpha"], len(settings["target_modules"])) == (16, 32, 7)
    first, second = (
        {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(path).tensors}
        for path in (ADAPTER, again)
    )
    assert first == second


def test_an_adapter_of_layers_that_have_no_name_in_peft_is_not_unpacked(tmp_path: Path) -> None:
    from eval.adapter.unpack import unpack_adapter

    odd = adapter_file(tmp_path / "odd.gguf", 1.0, layer="blk.0.ssm_in")
    with pytest.raises(ValueError, match=r"blk\.0\.ssm_in\.weight\.lora_\w: none of attn_q"):
        unpack_adapter(odd, tmp_path / "sketch")
    assert not (tmp_path / "sketch").exists()


def adapter_file(
    path: Path, value: float, *, layer: str = "blk.0.attn_q", rank: int = 2, alpha: float = 16.0
) -> Path:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_tensor(f"{layer}.weight.lora_a", np.full((rank, 4), value, np.float16))
    writer.add_tensor(f"{layer}.weight.lora_b", np.full((4, rank), 2 * value, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_mean_of_two_adapters_has_the_mean_of_their_weights(tmp_path: Path) -> None:
    import gguf

    from eval.adapter.average import average

    first, second = adapter_file(tmp_path / "a.gguf", 1.0), adapter_file(tmp_path / "b.gguf", 2.0)
    assert average(first, second, tmp_path / "sketch.gguf") == 2
    reader = gguf.GGUFReader(tmp_path / "sketch.gguf")
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert found["blk.0.attn_q.weight.lora_a"].shape == (2, 4)
    assert (found["blk.0.attn_q.weight.lora_a"] == 1.5).all()
    assert (found["blk.0.attn_q.weight.lora_b"] == 3.0).all()
    assert reader.get_field("adapter.lora.alpha").contents() == 16.0


@pytest.mark.parametrize(
    "other", [{"layer": "blk.1.attn_q"}, {"rank": 3}, {"alpha": 8.0}], ids=["layers", "rank", "scale"]
)
def test_adapters_of_another_shape_have_no_mean(tmp_path: Path, other: dict[str, Any]) -> None:
    from eval.adapter.average import average

    first, second = adapter_file(tmp_path / "a.gguf", 1.0), adapter_file(tmp_path / "b.gguf", 2.0, **other)
    with pytest.raises(ValueError, match=r"blk|alpha"):
        average(first, second, tmp_path / "sketch.gguf")
    assert not (tmp_path / "sketch.gguf").exists()
