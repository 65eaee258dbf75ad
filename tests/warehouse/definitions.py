"""Random definitions of the whole language (but models and saved segments), as JSON, for property tests."""

from hypothesis import strategies as st

EVENTS = st.sampled_from(["view", "add_to_cart", "purchase", "return", "coupon_redeem"])
WINDOWS = st.sampled_from(
    [
        {},
        {"from_days_ago": 20},
        {"from_days_ago": 45, "to_days_ago": 10},
        {"to_days_ago": 25},
        {"from_days_ago": 1},
    ]
)
ITEMS = st.sampled_from(
    [
        {},
        {},
        {"items": {"category": ["SOUP"]}},
        {"items": {"category": ["BEER", "MILK"]}},
        {"items": {"department": ["GROCERY"], "brand": ["National"]}},
        {"items": {"text": ["kind 4", "milk"]}},
    ]
)
OCCASIONS = st.sampled_from(
    [
        {},
        {},
        {},
        {"weekdays": ["sat", "sun"]},
        {"hours": [6, 13]},
        {"hours": [18, 6]},
        {"channel": ["app", "web"]},
    ]
)
AMOUNTS = st.one_of(
    st.tuples(st.sampled_from([">=", ">", "<=", "<", "="]), st.integers(0, 30)),
    st.tuples(st.just("between"), st.tuples(st.integers(0, 5), st.integers(5, 40)).map(list)),
)
MEASURES = st.sampled_from(["count", "quantity", "value"])
NUMBERS = ["orders_90d", "spend_90d", "recency_days", "mean_gap_days", "spend_trend_90d", "categories_365d"]
FEATURES = st.sampled_from(NUMBERS)

events = st.builds(
    lambda event, window, item, occasion, measure, amount: {
        "event": event,
        **window,
        **item,
        **occasion,
        "measure": measure,
        "op": amount[0],
        "value": amount[1],
    },
    EVENTS,
    WINDOWS,
    ITEMS,
    OCCASIONS,
    MEASURES,
    AMOUNTS,
)
features = st.one_of(
    st.builds(
        lambda name, op, value: {"feature": name, "op": op, "value": value},
        FEATURES,
        st.sampled_from([">=", ">", "<=", "<", "=", "!="]),
        st.integers(0, 12),
    ),
    st.sampled_from(
        [
            {"feature": "age", "op": ">=", "value": "45-54"},
            {"feature": "age", "op": "between", "value": ["25-34", "45-54"]},
            {"feature": "marital_status", "op": "not_in", "value": ["Married"]},
            {"feature": "has_children", "op": "=", "value": False},
            {"feature": "kids_count", "op": "<=", "value": "1"},
        ]
    ),
)
_within = st.sampled_from([{}, {"within_days": 1}, {"within_days": 7}, {"within_days": 30}])


def _step(later):
    return st.builds(
        lambda event, item, occasion, within: {
            "event": event,
            **item,
            **occasion,
            **(within if later else {}),
        },
        EVENTS,
        ITEMS,
        OCCASIONS,
        _within,
    )


sequences = st.builds(
    lambda first, rest, then_not, window, same: {
        "sequence": [first, *rest],
        **({} if then_not is None else {"then_not": then_not}),
        **window,
        **same,
    },
    _step(False),
    st.lists(_step(True), max_size=2),
    st.none() | _step(True),
    WINDOWS,
    st.sampled_from([{}, {"same_item": True}]),
).filter(lambda node: len(node["sequence"]) > 1 or "then_not" in node)
repeats = st.builds(
    lambda event, times, within, unit, item, window, occasion, without: {
        "repeat": event,
        "times": times,
        "within_days": within,
        "unit": unit,
        **item,
        **window,
        **occasion,
        **({} if without in (None, event) else {"without": without}),
    },
    EVENTS,
    st.integers(2, 4),
    st.sampled_from([1, 7, 20]),
    st.sampled_from(["orders", "sessions", "days"]),
    ITEMS,
    WINDOWS,
    OCCASIONS,
    st.none() | EVENTS,
)
touches = st.builds(
    lambda which, event, item, window, occasion: {which: event, **item, **window, **occasion},
    st.sampled_from(["first", "last"]),
    EVENTS,
    ITEMS,
    WINDOWS,
    OCCASIONS,
)
_quantities = st.one_of(
    FEATURES.map(lambda name: {"feature": name}),
    st.builds(
        lambda event, item, window, measure: {"event": event, **item, **window, "measure": measure},
        EVENTS,
        ITEMS,
        WINDOWS,
        MEASURES,
    ),
)
comparisons = st.builds(
    lambda left, op, factor, right: {"compare": left, "op": op, "factor": factor, "than": right},
    _quantities,
    st.sampled_from([">=", ">", "<=", "<", "="]),
    st.sampled_from([1, 0.5, 2, 0.75]),
    _quantities,
)


def ranks(group):
    """Rank conditions, among everyone or among those of a definition."""
    return st.builds(
        lambda name, how, lowest, among: {
            "rank_by": name,
            **how,
            **({"lowest": True} if lowest else {}),
            **({} if among is None else {"among": among}),
        },
        FEATURES,
        st.sampled_from([{"count": 3}, {"count": 100}, {"share": 0.1}, {"share": 0.25}, {"share": 0.5}]),
        st.booleans(),
        st.none() | group,
    )


conditions = st.one_of(
    events, features, sequences, repeats, touches, comparisons, ranks(events | features | touches)
)
definitions = st.recursive(
    conditions,
    lambda children: (
        st.lists(children, min_size=1, max_size=3).map(lambda c: {"all_of": c})
        | st.lists(children, min_size=1, max_size=3).map(lambda c: {"any_of": c})
        | children.map(lambda c: {"not": c})
    ),
    max_leaves=5,
)
