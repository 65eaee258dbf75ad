"""Looks before the end: how much of the error each may spend, so that looking early costs no honesty.

The spending function is O'Brien and Fleming's in the form of Lan and DeMets (1983, Biometrika 70):
2 - 2 Phi(z[1 - alpha/2] / sqrt(t)) is spent once the share t of the window has passed. Each look is then
tested at what it newly spends. The usual group-sequential bounds would be a little narrower, but they
need increments that are independent, which one customer's purchases over time are not; by the union
bound these hold whatever the dependence. Early looks spend next to nothing, so the final one keeps
nearly all.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from scipy.stats import norm

from segments.errors import DefinitionError


def spent(share: float, alpha: float) -> float:
    """Error that may be spent up to the share (0..1) of the window."""
    if not 0 <= share <= 1:
        raise DefinitionError(
            f"The share of the window that has passed must lie within 0..1, not {share}.",
            f"观察期已过的比例必须在0到1之间，而给的是{share}。",
        )
    if share == 0:
        return 0.0
    return float(2 * norm.sf(norm.isf(alpha / 2) / sqrt(share)))


def look_alpha(share: float, earlier: Sequence[float], alpha: float) -> float:
    """Error of a look at `share` of the window, after looks at the `earlier` shares. Never negative."""
    before = max((s for s in earlier if s < share), default=0.0)
    return spent(share, alpha) - spent(before, alpha)
