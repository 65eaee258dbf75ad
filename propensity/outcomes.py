"""The outcomes that models predict, and their names.

`purchase_14d`, `purchase_30d` and `coupon_redeem_30d` have a model each. `purchase_30d:<CATEGORY>` is
answered for every item category by one pooled model, whose own name is `purchase_30d:*`. A workspace may declare
more (`propensity.declared`): a next-action model answers one outcome for each of its events, `<name>:<event>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from segments.definition import ItemFilter
from segments.errors import NotFoundError
from segments.ports import Outcome

CUSTOMER_OUTCOMES = (
    Outcome("purchase_14d", "purchase", 14, None, "purchase within 14 days", "14天内购买"),
    Outcome("purchase_30d", "purchase", 30, None, "purchase within 30 days", "30天内购买"),
    Outcome(
        "coupon_redeem_30d", "coupon_redeem", 30, None, "coupon redemption within 30 days", "30天内使用优惠券"
    ),
)
CATEGORY_PREFIX = "purchase_30d:"
CATEGORY_HORIZON = 30
POOLED = CATEGORY_PREFIX + "*"


def category_outcome(category: str) -> Outcome:
    """Purchase of the item category within 30 days."""
    return Outcome(
        CATEGORY_PREFIX + category,
        "purchase",
        CATEGORY_HORIZON,
        ItemFilter(category=(category,)),
        f"purchase of {category} within 30 days",
        f"30天内购买{category}",
    )


def outcomes(categories: Sequence[str]) -> tuple[Outcome, ...]:
    """Every outcome of a workspace with these item categories."""
    return CUSTOMER_OUTCOMES + tuple(category_outcome(category) for category in categories)


def parse(name: str, categories: Sequence[str], declared: Sequence[Outcome] = ()) -> Outcome:
    """The outcome of that name (letter case of a category does not matter).

    declared: the workspace's own outcomes. Raises NotFoundError that names the known ones, or the nearest categories.
    """
    every = (*CUSTOMER_OUTCOMES, *declared)
    for outcome in every:
        if outcome.name == name.strip():
            return outcome
    prefix, colon, wanted = name.strip().partition(":")
    if colon and prefix + ":" == CATEGORY_PREFIX:
        upper = {category.upper(): category for category in categories}
        if wanted.strip().upper() in upper:
            return category_outcome(upper[wanted.strip().upper()])
        near = [upper[match] for match in get_close_matches(wanted.strip().upper(), upper, n=3, cutoff=0.5)]
        hint, zh = (f" Did you mean {', '.join(near)}?", f"您是指{'、'.join(near)}吗？") if near else ("", "")
        raise NotFoundError(
            f"There is no item category '{wanted}' to predict a purchase of.{hint}",
            f"没有品类“{wanted}”，无法预测其购买。{zh}",
        )
    known = ", ".join([outcome.name for outcome in every] + [CATEGORY_PREFIX + "<CATEGORY>"])
    raise NotFoundError(
        f"There is no outcome '{name}'; the known ones are {known}.", f"没有结果“{name}”；现有{known}。"
    )


def model_name(outcome: str) -> str:
    """The name of the model that answers an outcome."""
    return POOLED if outcome.startswith(CATEGORY_PREFIX) else outcome.partition(":")[0]
