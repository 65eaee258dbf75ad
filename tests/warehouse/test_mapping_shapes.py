"""Values of a mapping that have a wrong shape are refused by name, not by a traceback and not in silence."""

import pytest

from segments.errors import DataError
from warehouse.mapping import parse_mapping, read_mapping

EVENTS = '[[events]]\nfiles = ["o.csv"]\ntype = "purchase"\ncustomer = "c"\ntime = "t"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EVENTS.replace("[[events]]", "[events]"), r"events: must be tables, each under \[\[events\]\]"),
        ("events = 'x'", "events: must be tables"),
        ("events = [1, 2]", "events: must be tables"),
        (EVENTS + "[items]\nitem = 'i'\n", "items: must be tables"),
        (EVENTS.replace('["o.csv"]', "5"), "events.files: must be a text or a list"),
        (EVENTS.replace('["o.csv"]', "[5]"), "events.files: must be a text or a list"),
        (EVENTS + 'value = ["v"]', "events.value: must be a column"),
        (EVENTS + 'row_number = "no"', "events.row_number: must be true or false"),
        (EVENTS + 'header = "a"', "events.header: must be a list"),
        (EVENTS + "where = 5", "events.where: must be a text"),
        (EVENTS + 'time_zone = "Mars/Phobos"', "events.time_zone: must be a zone.*got 'Mars/Phobos'"),
        ("exclude_categories = 5\n" + EVENTS, "exclude_categories: must be a list"),
        ("rates = 5\n" + EVENTS, r"rates: must be a table \[rates\]"),
        ("[rates]\nEUR = nan\n" + EVENTS, "rates.EUR: must be a number above 0"),
        ("[rates]\nEUR = inf\n" + EVENTS, "rates.EUR: must be a number above 0"),
        ("name = 5\n" + EVENTS, "name: must be a text"),
    ],
)
def test_values_of_a_wrong_shape_are_named(text, said, tmp_path):
    with pytest.raises(DataError, match=said):
        parse_mapping(text, tmp_path, "m")


def test_a_zone_is_known_and_the_type_of_events_may_be_a_table(tmp_path):
    text = (
        EVENTS.replace('"purchase"', '{ column = "e", values = { buy = "purchase" } }')
        + 'time_zone = "Asia/Shanghai"'
    )
    assert parse_mapping(text, tmp_path, "m").sources[0].time_zone == "Asia/Shanghai"


def test_a_mapping_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "m.toml"
    path.write_bytes(b"\xff\xfe name")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_mapping(str(path))
