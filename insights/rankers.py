"""Ways to rank what a customer buys next, each fitted on one matrix of customers by items.

- linear: a ridge regression of every item on all items (a linear autoencoder, Steck 2019, "Embarrassingly
  shallow autoencoders", with the diagonal kept because repeat purchases count);
- trending: the linear model's scores, raised for items that sell better lately than in the decayed history;
- item_knn: items like those bought before, by BM25-weighted cosine (`implicit`);
- als: factors of customers and items (Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit
  feedback datasets"; `implicit`);
- popular: what most customers bought lately, the same for everyone.

Which is best differs by retailer, so `ranking_test` tells by days not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy import linalg, sparse

Method = Literal["linear", "trending", "item_knn", "als", "popular"]

RIDGE = 0.1
"""Ridge penalty for each customer: 0.04 to 0.2 did equally well on the demo data."""
NEIGHBOURS = 20
"""Of 20 to 1000 neighbours the fewest did best on the demo data (a cut before the benchmark's)."""
SATURATION, LENGTH = 1.2, 0.75
"""BM25's usual k1 and b (Robertson and Zaragoza 2009)."""
FACTORS, CONFIDENCE, PENALTY, SWEEPS = 64, 2.0, 0.1, 15
"""The best of five settings tried on the demo data (a cut before the benchmark's)."""
FEW_BUYERS = 5.0
"""Buyers added to both sides of a trend, so that a handful makes none."""
TREND = 0.5
"""Power of the trend: of 0.3, 0.5 and 1 the best for categories on cuts of 2 September, 3 October and 2 November."""
SEED = 17


class Ranker(Protocol):
    """Scores items for customers of the matrix it was fitted on."""

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores of shape (len(rows), items); higher is likelier, no unit."""
        ...


@dataclass(frozen=True)
class ItemToItem:
    """A customer's weights times a matrix of items by items."""

    weight: sparse.csr_matrix
    coefficients: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The weight predicted for a customer with such a history."""
        return np.asarray(self.weight[rows] @ self.coefficients)


@dataclass(frozen=True)
class Raised:
    """Another ranker's scores, each item's times a factor of its own."""

    ranker: Ranker
    factors: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The scores raised; negative ones count 0."""
        return np.maximum(self.ranker.scores(rows), 0.0) * self.factors


@dataclass(frozen=True)
class Factors:
    """Inner products of customers' and items' factors."""

    customers: np.ndarray
    items: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The preference predicted."""
        return self.customers[rows] @ self.items.T


@dataclass(frozen=True)
class Popularity:
    """The same for everyone."""

    buyers: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Number of recent buyers."""
        return np.tile(self.buyers, (len(rows), 1))


def fit_linear(weight: sparse.csr_matrix, _recent: sparse.csr_matrix) -> Ranker:
    """Ridge regression of all items on all items, in closed form."""
    penalty = RIDGE * weight.shape[0]
    together = np.asarray((weight.T @ weight).todense(), dtype=float)
    together[np.diag_indices_from(together)] += penalty
    # (G + pI)^-1 G = I - p (G + pI)^-1: one inverse instead of one solution a column.
    lower = linalg.cholesky(together, lower=True, overwrite_a=True)
    inverse, _ = linalg.lapack.dpotri(lower, lower=1, overwrite_c=1)
    coefficients = -penalty * (inverse + np.tril(inverse, -1).T)
    coefficients[np.diag_indices_from(coefficients)] += 1.0
    return ItemToItem(weight, coefficients)


def fit_trending(weight: sparse.csr_matrix, recent: sparse.csr_matrix) -> Ranker:
    """The linear model times (recent buyers over those to be expected from the decayed history) ** TREND."""
    buyers, lasting = (np.asarray(matrix.sum(axis=0), dtype=float).ravel() for matrix in (recent, weight))
    expected = lasting / lasting.sum() * buyers.sum()
    trend = (buyers + FEW_BUYERS) / (expected + FEW_BUYERS)
    return Raised(fit_linear(weight, recent), trend**TREND)


def fit_item_knn(weight: sparse.csr_matrix, _recent: sparse.csr_matrix) -> Ranker:
    """Every item is scored by its own nearest neighbours, which did better than those of the history."""
    from implicit.nearest_neighbours import ItemItemRecommender, bm25_weight

    model = ItemItemRecommender(K=NEIGHBOURS, num_threads=1)
    # BM25's documents are the items here, its terms the customers who bought them.
    weighted = bm25_weight(weight.T.astype(float), SATURATION, LENGTH).T.tocsr()
    model.fit(weighted, show_progress=False)
    return ItemToItem(weight, np.asarray(model.similarity.T.todense()))


def fit_als(weight: sparse.csr_matrix, _recent: sparse.csr_matrix) -> Ranker:
    """Alternating least squares on the weights as confidences."""
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # implicit runs its own threads; BLAS threads under them only get in the way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=min(FACTORS, min(weight.shape) - 1),
            alpha=CONFIDENCE,
            regularization=PENALTY,
            iterations=SWEEPS,
            random_state=SEED,
            num_threads=1,
        )
        model.fit(weight.astype(np.float32), show_progress=False)
    return Factors(np.asarray(model.user_factors), np.asarray(model.item_factors))


def fit_popular(_weight: sparse.csr_matrix, recent: sparse.csr_matrix) -> Ranker:
    """Customers who bought each item lately."""
    return Popularity(np.asarray(recent.sum(axis=0), dtype=float).ravel())


RANKERS: dict[Method, Callable[[sparse.csr_matrix, sparse.csr_matrix], Ranker]] = {
    "linear": fit_linear,
    "trending": fit_trending,
    "item_knn": fit_item_knn,
    "als": fit_als,
    "popular": fit_popular,
}
METHODS: tuple[Method, ...] = tuple(RANKERS)
