"""Customers by a text: those who buy what it means come first; a text that means nothing here is told."""

from __future__ import annotations

import pytest

from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex
from indexes.text import SentenceEncoder
from indexes.text_search import ItemTexts, customers_near
from segments.errors import NotFoundError, UserError
from tests.indexes.conftest import Tables


def test_a_text_finds_the_items_it_means(tables: Tables, encoder: SentenceEncoder) -> None:
    near = ItemTexts(tables.items, encoder).near("lager and ale drinkers")
    assert "beer" in near.index[0]
    assert near.is_monotonic_decreasing


@pytest.mark.parametrize(("text", "category"), [("people who drink ale", "BEER"), ("sweets", "CANDY")])
def test_those_who_buy_it_come_first(
    encoded: BehaviourVectors, tables: Tables, encoder: SentenceEncoder, text: str, category: str
) -> None:
    index = CustomerIndex.build(encoded, "cpu")
    found = customers_near(text, index, tables.purchases, ItemTexts(tables.items, encoder), 10)
    assert len(found) == 10
    spend = tables.spend.pivot_table(index="customer_id", columns="category", values="value", fill_value=0)
    share = spend[category] / spend.sum(axis=1)
    assert share[[match.customer_id for match in found]].mean() > 1.3 * share.mean()


def test_a_text_that_means_nothing_here_is_told(
    encoded: BehaviourVectors, tables: Tables, encoder: SentenceEncoder
) -> None:
    index = CustomerIndex.build(encoded, "cpu")
    with pytest.raises(NotFoundError, match="no item here is like 'quantum field theory'"):
        customers_near("quantum field theory", index, tables.purchases, ItemTexts(tables.items, encoder), 10)
    with pytest.raises(NotFoundError, match="nobody bought"):
        customers_near("beer", index, tables.purchases.iloc[:0], ItemTexts(tables.items, encoder), 10)


def test_a_text_in_a_language_that_the_encoder_does_not_read_is_told(
    tables: Tables, encoder: SentenceEncoder
) -> None:
    assert not encoder.reads_chinese
    for text in ("有机婴儿用品", "beer 啤酒"):
        with pytest.raises(UserError, match="reads no Chinese") as told:
            ItemTexts(tables.items, encoder).near(text)
        assert text in told.value.zh
        assert "不懂中文" in told.value.zh
    assert not ItemTexts(tables.items, encoder).near("café lattes and beer").empty
