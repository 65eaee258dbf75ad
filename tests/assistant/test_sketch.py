"""Sketches: definitions whose goods and calendar times are the request's words, to and from."""

import json
from typing import Any

import jsonschema
import pytest

from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from assistant.sketch import compact, from_sketch, sketch_schema, to_sketch
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import ItemFilter, Window
from segments.errors import DefinitionError, ModelRetryError

WINE = ["DOMESTIC WINE", "IMPORTED WINE", "MISC WINE"]


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


@pytest.fixture(scope="module")
def schema(opened: Rooms, linker: Linker) -> dict[str, Any]:
    return sketch_schema(opened.warehouse.catalogue, sorted(linker.events), ["purchase_30d"])


def test_goods_and_calendar_times_are_said_in_the_words_of_the_request(linker: Linker) -> None:
    node = from_json({"event": "purchase", "items": {"category": WINE}, "from_days_ago": 92})
    goods, times = linker.spoken("who bought vino in Q4?")
    sketch = to_sketch(node, goods, times)
    assert compact(sketch) == '{"event":"purchase","items":"vino","when":"in Q4"}'
    assert fingerprint(from_sketch(sketch, linker.goods, linker.time)) == fingerprint(node)


def test_without_words_goods_keep_the_catalogues_names_and_times_their_days(linker: Linker) -> None:
    data = {"event": "purchase", "items": {"category": ["COFFEE"], "brand": ["Private"]}, "from_days_ago": 90}
    sketch = to_sketch(from_json(data), {}, {})
    assert sketch == {"event": "purchase", "items": "private brand coffee", "from_days_ago": 90}
    assert fingerprint(from_sketch(sketch, linker.goods, linker.time)) == fingerprint(from_json(data))


def test_no_optional_field_stands_before_a_required_one(schema: dict[str, Any]) -> None:
    """Where one does, a server that writes required fields first never lets the model write it."""
    for kind in schema["$defs"]["node"]["anyOf"]:
        needed = [name in kind["required"] for name in kind["properties"]]
        assert needed == sorted(needed, reverse=True), kind["properties"].keys()
    compared = [
        kind["properties"] for kind in schema["$defs"]["node"]["anyOf"] if "than" in kind["properties"]
    ]
    assert [list(fields) for fields in compared] == [
        ["compare", "op", "factor", "than"],
        ["compare", "op", "than"],
    ]


@pytest.mark.parametrize(
    ("sketch", "definition"),
    [
        (
            {
                "all_of": [
                    {"event": "purchase", "items": "红酒"},
                    {"not": {"event": "purchase", "when": "上个月"}},
                ]
            },
            {
                "all_of": [
                    {"event": "purchase", "items": {"category": WINE}},
                    {"not": {"event": "purchase", "from_days_ago": 31}},
                ]
            },
        ),
        (
            {
                "sequence": [
                    {"event": "coupon_redeem"},
                    {"event": "purchase", "within_days": 7, "items": "beer or tea"},
                ]
            },
            {
                "sequence": [
                    {"event": "coupon_redeem"},
                    {"event": "purchase", "within_days": 7, "items": {"category": ["BEERS/ALES", "TEAS"]}},
                ]
            },
        ),
    ],
    ids=["Chinese", "sequence"],
)
def test_words_are_looked_up_wherever_they_stand(
    linker: Linker, sketch: dict[str, Any], definition: dict[str, Any]
) -> None:
    assert fingerprint(from_sketch(sketch, linker.goods, linker.time)) == fingerprint(from_json(definition))


@pytest.mark.parametrize(
    ("sketch", "error", "says"),
    [
        ({"event": "purchase", "items": "gizzlements"}, ModelRetryError, "gizzlements"),
        ({"event": "purchase", "when": "the day of the flood"}, ModelRetryError, "the day of the flood"),
        ({"event": "purchase", "measure": "weight"}, DefinitionError, "weight"),
    ],
    ids=["goods", "time", "language"],
)
def test_what_means_nothing_here_is_named(
    linker: Linker, sketch: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        from_sketch(sketch, linker.goods, linker.time)


@pytest.mark.parametrize(
    "sketch",
    [
        {"feature": "age", "op": ">=", "value": "55-64"},
        {"feature": "spend_90d", "op": "between", "value": [100, 200]},
        {"rank_by": "spend_90d", "count": 50, "among": {"feature": "has_children", "op": "=", "value": True}},
        {"not": {"any_of": [{"event": "coupon_redeem"}, {"propensity": "purchase_30d", "top_share": 0.1}]}},
        {"event": "purchase", "measure": "value", "op": ">", "value": 100, "items": "wine", "when": "in May"},
    ],
    ids=str,
)
def test_the_schema_allows_what_exists(schema: dict[str, Any], sketch: dict[str, Any]) -> None:
    jsonschema.validate(sketch, schema)


@pytest.mark.parametrize(
    "sketch",
    [
        {"feature": "shoe_size", "op": ">=", "value": 44},
        {"feature": "age", "op": ">=", "value": "55 and over"},
        {"feature": "spend_90d", "op": ">", "value": "a lot"},
        {"event": "view", "items": "wine"},
        {"event": "purchase", "items": {"category": ["COFFEE"]}},
        {"propensity": "marriage_30d", "top_share": 0.1},
        {"member_of": "Loyal"},
    ],
    ids=str,
)
def test_the_schema_allows_nothing_else(schema: dict[str, Any], sketch: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(sketch, schema)


def test_fields_come_in_the_order_in_which_sketches_are_written(
    schema: dict[str, Any], linker: Linker
) -> None:
    """A server lets fields come in the schema's order only; a sketch in another order could not be said."""

    def orders(value: Any) -> list[list[str]]:
        if isinstance(value, list):
            return [order for inner in value for order in orders(inner)]
        if not isinstance(value, dict):
            return []
        own = [list(value["properties"])] if isinstance(value.get("properties"), dict) else []
        return own + [order for inner in value.values() for order in orders(inner)]

    node = from_json(
        {
            "event": "purchase",
            "items": {"category": WINE},
            "weekdays": ["sat"],
            "measure": "value",
            "op": ">",
            "value": 9,
            "from_days_ago": 60,
            "to_days_ago": 30,
        }
    )
    written = list(json.loads(compact(to_sketch(node, {ItemFilter(category=tuple(WINE)): "wine"}, {}))))
    allowed = next(o for o in orders(schema) if o[0] == "event" and "value" in o)
    assert [key for key in allowed if key in written] == written
    assert to_sketch(node, {}, {Window(60, 30): "in November"})["when"] == "in November"


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ("from the sixteenth to the thirtieth of November", Window(46, 31)),
        ("in the two weeks before Christmas", Window(21, 7)),
        ("since the first of July", Window(184, 0)),
        ("十一月十六号到二十二号这一周", Window(46, 39)),
        ("in Apr-Jun '17", Window(275, 184)),
        ("in the run-up to Christmas", Window(37, 7)),
        ("in the last 48 hours", Window(2, 0)),
        ("since the beginning of the year", Window(365, 0)),
        ("年初到现在", Window(365, 0)),
        ("十一期间", Window(92, 85)),
        ("the Christmas fortnight", None),
        ("年初至六月", Window(365, 184)),
        ("from back-to-school to Halloween", None),
        ("since Sinterklaas, at the end of the year", None),
        ("on 3 or 10 December", None),
        ("the week before", None),
    ],
)
def test_a_sketch_says_when_in_anybodys_words_and_nothing_of_them_is_dropped(linker, words, window):
    assert linker.time(words) == window


def test_goods_of_different_kinds_are_alternatives_and_never_narrow_each_other(linker: Linker) -> None:
    made = from_sketch(
        {"event": "purchase", "items": "creamer or hot dogs", "from_days_ago": 60},
        linker.goods,
        linker.time,
    )
    each = [{"category": ["HOT DOGS"]}, {"text": ["creamer"]}]
    told = {"any_of": [{"event": "purchase", "items": items, "from_days_ago": 60} for items in each]}
    assert fingerprint(made) == fingerprint(from_json(told))
    read = linker.link("who bought creamer or hot dogs in the last 60 days?").reading
    assert read is not None
    assert fingerprint(read) == fingerprint(from_json(told))
    with pytest.raises(ModelRetryError, match="nothing here is called"):
        from_sketch({"event": "purchase", "items": "gizzlements or hot dogs"}, linker.goods, linker.time)
    # Whatever the language, no alternative is dropped and none is looked for as one name.
    for words in ("batteries or bananas", "电池 or 香蕉"):
        apart = from_sketch({"event": "purchase", "items": words}, linker.goods, linker.time)
        each = [{"category": ["BATTERIES"]}, {"text": ["bananas"]}]
        told = {"any_of": [{"event": "purchase", "items": items} for items in each]}
        assert fingerprint(apart) == fingerprint(from_json(told))
    total = {
        "event": "purchase",
        "measure": "value",
        "op": ">",
        "value": 100,
        "items": "creamer or hot dogs",
    }
    with pytest.raises(ModelRetryError, match="cannot be counted together"):
        from_sketch(total, linker.goods, linker.time)
    with pytest.raises(DefinitionError):
        from_sketch(
            {"sequence": [{"event": "purchase", "items": "creamer or hot dogs"}, {"event": "purchase"}]},
            linker.goods,
            linker.time,
        )


@pytest.mark.parametrize(
    ("value", "meant"),
    [("PAstry", "PASTRY"), ("grocery", "GROCERY"), (["Meat", "DELI"], ["MEAT", "DELI"])],
    ids=str,
)
def test_a_level_is_spelt_as_the_catalogue_spells_it(linker: Linker, value: Any, meant: Any) -> None:
    op = "in" if isinstance(value, list) else "="
    sketch = {"not": {"feature": "favourite_department", "op": op, "value": value}}
    made = from_sketch(sketch, linker.goods, linker.time, linker.level)
    assert to_json(made)["not"]["value"] == meant


def test_a_level_that_does_not_exist_is_refused_by_name(linker: Linker) -> None:
    for feature, value in (("favourite_department", "PASTRIES AND CAKES"), ("age", "over 99")):
        with pytest.raises(ModelRetryError, match=f"{feature} is never '{value}'"):
            from_sketch(
                {"feature": feature, "op": "=", "value": value}, linker.goods, linker.time, linker.level
            )


def test_numbers_and_what_is_no_feature_stay(linker: Linker) -> None:
    for sketch in (
        {"feature": "spend_90d", "op": "between", "value": [100, 200]},
        {"feature": "has_children", "op": "=", "value": True},
        {"event": "purchase", "measure": "value", "op": ">", "value": 100},
    ):
        made = from_sketch(sketch, linker.goods, linker.time, linker.level)
        assert fingerprint(made) == fingerprint(from_json(sketch))


def test_a_favourite_that_no_item_has_is_refused_anywhere(opened: Rooms) -> None:
    for value, said in (("PAstry", "did you mean PASTRY"), ("qqqq", "'qqqq' is none here")):
        with pytest.raises(DefinitionError, match=said):
            opened.audiences.size(from_json({"feature": "favourite_department", "op": "=", "value": value}))


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("狗", "DOG FOODS"),
        ("養狗", "DOG FOODS"),
        ("貓糧", "CAT FOOD"),
        ("咖啡滤纸", "COFFEE FILTERS"),
        ("散装鸡蛋", "EGGS"),
        ("gift & fruit baskets", "GIFT & FRUIT BASKETS"),
        ("cocoa", "COCOA MIXES"),
        ("guinness", "BEERS/ALES"),
    ],
)
def test_goods_that_stand_alone_are_known_by_words_too_short_for_a_message(linker: Linker, words, category):
    assert linker.goods(words).category == (category,)


def test_goods_whose_last_part_is_unknown_are_unknown(linker: Linker):
    """'咖啡榨汁架' ends with something else than coffee."""
    assert not linker.goods("咖啡榨汁架")
    assert not linker.goods("店里别的")


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ("2.14", Window(321, 320)),
        ("11/11", Window(51, 50)),
        ("since Thanksgiving (23 Nov)", Window(39, 0)),
        ("before Easter Sunday (April 16)", Window(None, 260)),
        ("between 1 and 14 February", Window(334, 320)),
    ],
)
def test_times_with_a_date_are_read_whole(linker: Linker, words, window):
    assert linker.time(words) == window
