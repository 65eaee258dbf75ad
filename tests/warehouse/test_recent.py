"""What is kept is the most recently used, within its bound."""

from warehouse.recent import Recent


def test_the_least_recently_used_goes_first():
    kept: Recent[int] = Recent(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_weights_are_bounded_and_the_newest_stays():
    kept: Recent[list[int]] = Recent(10, len)
    for number in range(100):
        kept.put(str(number), [0] * 4)
        assert len(kept) <= 2
    kept.put("99", [0] * 9)
    assert len(kept) == 1
    kept.put("big", [0] * 1000)
    assert (len(kept), len(kept.get("big") or [])) == (1, 1000)
