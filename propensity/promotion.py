"""Whether a new model may replace the one in use: both asked about the new one's test cut, which neither learned on.

The score is log loss, which is proper: no model gains by saying other than what it believes (Gneiting and Raftery,
2007, doi:10.1198/016214506000001437). The difference is paired by customer; its interval is a bootstrap over customers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from propensity.evaluate import LEVEL, interval, log_losses, resampled
from segments.errors import NotBuiltError, SegAssistError

LABEL = "label:"
"""Before an outcome's name: the column of what came true, beside that of what was said."""


@dataclass(frozen=True)
class Contest:
    """A new model against the one in use. behind: the new one's mean log loss less the other's, with its interval;
    all None when they could not be compared."""

    promoted: bool
    words: str
    behind: float | None = None
    behind_low: float | None = None
    behind_high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


FIRST = Contest(True, "the first model of its name")


def contest(tested: pd.DataFrame, rival: Callable[[], pd.DataFrame]) -> Contest:
    """Compare what a new model said of its test cut with what the model in use says of the same customers.

    tested: columns `<outcome>` and `label:<outcome>` by customer_id. rival: gives `<outcome>` columns of these
    customers; where it cannot (other columns, an older version), the new model is promoted and the words say why.
    """
    try:
        said = rival()
    except SegAssistError as error:
        return Contest(True, f"the model in use cannot be asked about the new test cut ({error})")
    names = [str(name) for name in said if name in tested and f"{LABEL}{name}" in tested]
    if not names:
        return Contest(True, "the model in use answers none of the outcomes that were tested")
    lost = customer_losses(tested, tested, names) - customer_losses(tested, said.reindex(tested.index), names)
    low, high = interval(resampled(len(lost)) @ lost / len(lost))
    behind = float(lost.mean())
    figures = f"log loss {behind:+.4f}, {LEVEL:.0%} interval {low:+.4f} to {high:+.4f}"
    if low > 0:
        return Contest(False, f"worse than the model in use beyond chance ({figures})", behind, low, high)
    better = "better than" if high < 0 else "not worse than"
    return Contest(True, f"{better} the model in use ({figures})", behind, low, high)


def customer_losses(tested: pd.DataFrame, said: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Each customer's mean log loss over outcomes; raises NotBuiltError when a customer was not scored."""
    scores = said[names].to_numpy(dtype="float64")
    if np.isnan(scores).any():
        raise NotBuiltError("The model in use has no score for some customers of the test cut.")
    labels = tested[[f"{LABEL}{name}" for name in names]].to_numpy(dtype="float64")
    return np.asarray(log_losses(labels, scores).mean(axis=1))
