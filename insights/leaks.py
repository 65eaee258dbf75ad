"""Features that tell the answer: a column that alone separates the labels was made after them, or from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SUSPICIOUS = 0.98
"""Cross-validated AUC of one feature alone from which it is told; honest single features lie far below."""
SEED = 43


@dataclass(frozen=True)
class Leak:
    """A feature that alone predicts the label. low, high: values between which every positive lies.

    inside: share of the negatives that lie there too.
    """

    feature: str
    auc: float
    low: float
    high: float
    inside: float

    def words(self) -> str:
        """The suspicion in a sentence."""
        where = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return (
            f"'{self.feature}' alone predicts the label with an AUC of {self.auc:.3f}: every positive has {where}, "
            f"{self.inside:.1%} of the others do; leave it out unless it is known before the label."
        )


def find_leaks(features: pd.DataFrame, labels: Sequence[int], threshold: float = SUSPICIOUS) -> list[Leak]:
    """Leaking features, worst first: each is tried alone, by a shallow tree, five-fold cross-validated.

    Numbers count as they are, texts by their values; missing values are a value of their own.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    truth = np.asarray(labels, int)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=10, random_state=SEED)
    found = []
    for name in features:
        column = features[name]
        numeric = pd.api.types.is_numeric_dtype(column)
        values = column.astype(float) if numeric else pd.Series(pd.factorize(column)[0], dtype=float)
        told = np.column_stack([values.fillna(values.min() - 1), values.isna()])
        chance = cross_val_predict(tree, told, truth, cv=folds, method="predict_proba")[:, 1]
        auc = float(roc_auc_score(truth, chance))
        if auc >= threshold:
            ours = values.to_numpy()[truth == 1]
            low, high = float(np.nanmin(ours)), float(np.nanmax(ours))
            inside = float(values[truth == 0].between(low, high).mean())
            found.append(Leak(str(name), auc, low, high, inside))
    return sorted(found, key=lambda leak: -leak.auc)
