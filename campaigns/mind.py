"""What not to do: whom a plan leaves alone and why, and whether it passes a group of people over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

FOUR_FIFTHS = 0.8
"""A group chosen less than four fifths as often as the most chosen one calls for a look (the rule of
thumb of the US Uniform Guidelines on Employee Selection Procedures, 1978, section 4D)."""
MIN_GROUP = 30


@dataclass(frozen=True)
class Imbalance:
    """In one attribute, the group that is chosen least often and the one most often, with their shares."""

    attribute: str
    least: str
    least_share: float
    most: str
    most_share: float

    @property
    def ratio(self) -> float:
        """The least over the most."""
        return self.least_share / self.most_share


def tired(contacts_90d: pd.Series, most: int) -> pd.Series:
    """True for members who were contacted often enough lately (`most` times in 90 days or more)."""
    return contacts_90d.fillna(0) >= most


def imbalances(
    people: pd.DataFrame, chosen: Collection[str], attributes: Sequence[str]
) -> tuple[Imbalance, ...]:
    """Attributes (columns of people, by customer_id) of which a group is passed over.

    Groups of fewer than 30 are not compared, nor are customers whose attribute is unknown.
    """
    inside = pd.Series(people.index.isin(list(chosen)), index=people.index)
    found = []
    for attribute in attributes:
        if attribute not in people:
            continue
        known = people[attribute].dropna().astype("str")
        rates = inside[known.index].groupby(known).agg(["mean", "size"])
        rates = rates[rates["size"] >= MIN_GROUP]
        names, means = [str(name) for name in rates.index], rates["mean"].to_numpy(float)
        if len(names) < 2 or means.max() == 0 or means.min() / means.max() >= FOUR_FIFTHS:
            continue
        least, most = int(means.argmin()), int(means.argmax())
        found.append(Imbalance(attribute, names[least], float(means[least]), names[most], float(means[most])))
    return tuple(found)
