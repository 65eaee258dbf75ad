"""Parameters: kept once, named in definitions, resolved when read, said in words, hashed by meaning."""

import pytest

from assistant.library import Library
from assistant.workspace import read_settings
from segments.canonical import fingerprint
from segments.catalogue import standard_catalogue
from segments.codec import from_json, to_json
from segments.errors import DataError, DefinitionError
from segments.explain import explain
from segments.parameters import used_parameters
from warehouse.audience import Audiences

RECENT = {"event": "purchase", "from_days_ago": {"param": "recent_days"}}
BIG = {"feature": "spend_365d", "op": ">", "value": {"param": "big"}}
KNOWN = {"recent_days": 30, "big": 99.5}


def test_a_parameter_is_resolved_counted_and_written_back(small_warehouse):
    node = from_json({"all_of": [RECENT, BIG]}, KNOWN)
    plain = from_json(
        {
            "all_of": [
                {"event": "purchase", "from_days_ago": 30},
                {"feature": "spend_365d", "op": ">", "value": 99.5},
            ]
        }
    )
    assert node == plain
    assert fingerprint(node) == fingerprint(plain)
    audiences = Audiences(small_warehouse)
    assert audiences.members(node) == Audiences(small_warehouse).members(plain) != []
    assert audiences.sql(node) == audiences.sql(plain)
    written = to_json(node)
    assert written["all_of"][0]["from_days_ago"] == {"param": "recent_days", "value": 30}
    assert used_parameters(from_json(written)) == KNOWN


def test_the_words_say_both():
    node = from_json({"all_of": [RECENT, BIG]}, KNOWN)
    assert explain(node, standard_catalogue()).endswith(" (recent_days = 30, big = 99.5)")
    assert explain(node, standard_catalogue(), "zh").endswith("（recent_days = 30，big = 99.5）")


def test_the_workspace_goes_before_what_the_definition_carries():
    carried = {"event": "purchase", "from_days_ago": {"param": "recent_days", "value": 30}}
    assert used_parameters(from_json(carried, {"recent_days": 60})) == {"recent_days": 60}
    assert used_parameters(from_json(carried)) == {"recent_days": 30}


def test_a_saved_segment_follows_the_setting(tmp_path):
    Library(tmp_path / "state.sqlite", KNOWN).save("lately", from_json(RECENT, KNOWN))
    later = Library(tmp_path / "state.sqlite", KNOWN | {"recent_days": 7}).get("lately")
    assert later.definition == from_json({"event": "purchase", "from_days_ago": 7})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (RECENT, "definition.from_days_ago.param: 'recent_days' is no parameter of this workspace; known are big."),
        ({"event": "purchase", "from_days_ago": {"param": 3}}, "definition.from_days_ago.param: 3 is no parameter"),
        ({"event": "purchase", "from_days_ago": {"param": "big"}}, "definition.from_days_ago: must be a whole number"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_named(data, said):
    with pytest.raises(DefinitionError) as error:
        from_json(data, {"big": 99.5})
    assert said in str(error.value)


def test_a_parameter_is_a_number(tmp_path):
    (tmp_path / "segassist.toml").write_text('[parameters]\nrecent_days = "30"\n')
    with pytest.raises(DataError, match=r"parameters\.recent_days must be a number"):
        read_settings(tmp_path)
    (tmp_path / "segassist.toml").write_text("[parameters]\nrecent_days = 30\n")
    assert read_settings(tmp_path).parameters == {"recent_days": 30}
