"""A customer is found by pseudonym and by id, and a number that is no customer is left alone."""

import ormsgpack
import pytest

from assistant.mentions import Mention

SHORT, LONG = Mention("c0ffee00c0ffee00", "100"), Mention("c0ffee00c0ffee00", "AB-1234")


@pytest.mark.parametrize(
    ("mention", "text", "kept"),
    [
        (SHORT, "why is customer 100 in it?", "why is customer [erased] in it?"),
        (SHORT, "Household no. 100", "Household no. [erased]"),
        (SHORT, "客户100为什么在内", "客户[erased]为什么在内"),
        (SHORT, "customers who spent over 100", None),
        (SHORT, "customer 1000", None),
        (SHORT, "like c0ffee00c0ffee00", "like [erased]"),
        (LONG, "explain ab-1234, please", "explain [erased], please"),
        (LONG, "AB-12345 and XAB-1234", None),
    ],
)
def test_a_text_is_kept_without_the_customer(mention, text, kept):
    assert mention.without(text) == (kept or text)
    assert mention.within(ormsgpack.packb({"question": text})) == (kept is not None)


def test_a_value_under_the_name_of_a_customer_is_one():
    held = {"tools": [{"arguments": {"customer": 100, "minimum": 100}}], "customers": ["100", "7"]}
    assert SHORT.without(held) == {
        "tools": [{"arguments": {"customer": "[erased]", "minimum": 100}}],
        "customers": ["[erased]", "7"],
    }
    assert SHORT.within(ormsgpack.packb({"customer": "100"}))


def test_an_id_at_the_head_of_a_long_stored_text_is_found():
    # The byte before the text tells its length: 65 reads as the letter A.
    text = "AB-1234 is why I ask".ljust(65, ".")
    assert ormsgpack.packb(text)[1:2] == b"A"
    assert LONG.within(ormsgpack.packb(text))
