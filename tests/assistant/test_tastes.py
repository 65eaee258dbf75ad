"""A declared taste is found by its label and synonyms, in both languages, and read into a condition."""

import pytest

from assistant.linking.linker import Linker
from segments.catalogue import standard_catalogue
from segments.codec import to_json
from segments.tastes import Taste

ORGANIC = Taste("organic", ("organic food",), "organic products", "有机产品", synonyms_en=("green share",))


@pytest.fixture(scope="module")
def linker(demo_warehouse):
    """The demo's, with a taste; for the words any numbers do."""
    features = demo_warehouse.features()
    features = features.assign(**{ORGANIC.feature: features["private_label_share_365d"]})
    return Linker(
        standard_catalogue(demo_warehouse.meta["departments"], [ORGANIC]),
        features,
        demo_warehouse.item_values,
        demo_warehouse.item_names,
        demo_warehouse.as_of,
        None,
    )


@pytest.mark.parametrize(
    "message",
    [
        "customers whose share of spend near organic products is above 20%",
        "customers with a taste for organic products above 0.2",
        "customers with a green share above 20%",
        "有机产品消费占比超过20%的客户",
    ],
)
def test_a_taste_is_read_by_its_words(linker, message):
    link = linker.link(message)
    assert to_json(link.reading) == {"feature": "taste_organic_365d", "op": ">", "value": 0.2}
    assert link.unused == ()


def test_customers_are_ranked_by_a_taste(linker):
    reading = linker.link("top 10% by share of organic products").reading
    assert to_json(reading) == {"rank_by": "taste_organic_365d", "share": 0.1}
