"""How near items are to a taste, by the real encoder."""

import numpy as np
import pandas as pd
import pytest

from indexes.tastes import nearness
from indexes.text import SentenceEncoder
from segments.errors import DataError
from segments.tastes import Taste

ITEMS = pd.DataFrame(
    [
        ("a", "PRODUCE", "ORGANIC FRUIT", "ORGANIC APPLES"),
        ("b", "GROCERY", "BEERS/ALES", "LAGER"),
        ("c", "GROCERY", "CANDY", "CHOCOLATE BAR"),
        ("d", None, None, None),
        ("e", "PRODUCE", "ORGANIC FRUIT", "ORGANIC APPLES"),
    ],
    columns=["item_id", "department", "category", "name"],
)


def test_an_item_is_as_near_as_its_nearest_phrase():
    encoder = SentenceEncoder()
    organic, sweet = Taste("organic", ("organic food",), "", ""), Taste("sweet", ("beer", "sweets"), "", "")
    found = nearness(ITEMS, [organic, sweet], encoder).set_index("item_id")
    assert list(found.columns) == ["taste_organic", "taste_sweet"]
    assert found["taste_organic"].idxmax() == "a"
    assert found.loc["a", "taste_organic"] == found.loc["e", "taste_organic"] > 0.5
    assert found.loc["d"].isna().all()
    vectors = encoder.encode(["grocery | beers/ales | lager", "beer", "sweets"])
    assert np.isclose(
        found.loc["b", "taste_sweet"], max(vectors[0] @ vectors[1], vectors[0] @ vectors[2]), atol=1e-5
    )


def test_phrases_that_the_encoder_does_not_read_are_told():
    with pytest.raises(DataError, match="reads no Chinese, so 有机食品 cannot"):
        nearness(ITEMS, [Taste("organic", ("organic food", "有机食品"), "", "")], SentenceEncoder())
