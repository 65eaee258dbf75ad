"""How often each customer will buy, and what that is worth: BG/NBD and Gamma-Gamma by maximum likelihood.

A transaction is a day with a purchase. Time is in weeks. The BG/NBD model (Fader, Hardie and Lee, 2005a, Marketing
Science 24(2)): while active a customer buys at a rate of their own (Gamma(r, alpha) over customers) and after each
transaction drops out with a probability of their own (Beta(a, b)). The Gamma-Gamma model (Fader, Hardie and Lee,
2005b, J. Marketing Research 42(4)) says what a transaction is worth, independent of how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from segments.errors import DataError

DAYS = 7.0
LEVEL = 0.9
DRAWS = 400
SEED = 20050401
LEAST = 100
"""Customers, and repeat buyers among them, below which four parameters are not to be had."""
CHUNK = 10_000
"""Customers simulated at once: 32 MB a matrix."""
LARGEST = 12.0
"""Bound of the log parameters: a customer base without dropout or without differences drives them to infinity."""


def summarise(purchases: pd.DataFrame, until: date) -> pd.DataFrame:
    """What the models need of each customer, from purchases before `until` (columns customer_id, ts, value).

    Indexed by customer_id: `frequency` (transactions after the first), `recency` (weeks from the first to the last),
    `age` (weeks from the first to the last day before `until`), `value` (mean of the repeat transactions; NaN where
    there is none).
    """
    days = transactions_of(purchases[purchases["ts"] < pd.Timestamp(until)])
    first = days.groupby("customer_id")["day"].transform("min")
    repeats = days[days["day"] > first].groupby("customer_id")["value"]
    found = days.groupby("customer_id")["day"].agg(["min", "max"])
    last_day = pd.Timestamp(until) - pd.Timedelta(days=1)
    return pd.DataFrame(
        {
            "frequency": repeats.size().reindex(found.index, fill_value=0).astype("float64"),
            "recency": (found["max"] - found["min"]).dt.days / DAYS,
            "age": (last_day - found["min"]).dt.days / DAYS,
            "value": repeats.mean().reindex(found.index),
        }
    )


def transactions_of(purchases: pd.DataFrame) -> pd.DataFrame:
    """Columns customer_id, day, value: one row a customer and day with a purchase."""
    days = purchases.assign(day=purchases["ts"].dt.normalize())
    return days.groupby(["customer_id", "day"])["value"].sum().reset_index()


@dataclass(frozen=True)
class Fit:
    """Parameters that maximise a likelihood. covariance: of their logarithms, from the curvature there."""

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    log_likelihood: float

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    def draw(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Parameters as uncertain as they are: (count, parameters)."""
        near = random.multivariate_normal(np.log(self.values), self.covariance, size=count, method="eigh")
        return np.exp(np.clip(near, -LARGEST, LARGEST))


def fit_bgnbd(summary: pd.DataFrame) -> Fit:
    """r, alpha, a, b from `summarise`'s columns frequency, recency and age. Raises DataError on too few."""
    repeats = int((summary["frequency"] > 0).sum())
    if len(summary) < LEAST or repeats < LEAST:
        raise DataError(
            f"{len(summary)} customers, {repeats} of whom bought again, are too few to say what customers are worth; "
            f"it takes {LEAST} of each.",
            f"{len(summary)}名客户（其中{repeats}名买过不止一次）太少，看不出客户的价值；两者都至少需要{LEAST}名。",
        )
    x, recency, age = (summary[name].to_numpy(dtype="float64") for name in ("frequency", "recency", "age"))

    def log_likelihood(log_parameters: np.ndarray) -> float:
        r, alpha, a, b = np.exp(log_parameters)
        buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        staying = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        # B(a+1, b+x-1) / B(a, b+x) = a / (b+x-1); a customer who never came back is surely still active.
        again = np.maximum(x, 1.0)
        left = np.log(a) - np.log(b + again - 1) + (r + x) * (np.log(alpha + age) - np.log(alpha + recency))
        active = np.where(x > 0, np.logaddexp(0.0, left), 0.0)
        return float((buying + staying + active).sum())

    return _maximise(log_likelihood, ("r", "alpha", "a", "b"), (1.0, 5.0, 1.0, 2.0), len(summary))


def fit_gamma_gamma(summary: pd.DataFrame) -> Fit:
    """p, q, gamma of the mean value of a transaction, from those who bought again."""
    known = summary[(summary["frequency"] > 0) & (summary["value"] > 0)]
    if len(known) < LEAST:
        raise DataError(
            f"{len(known)} customers who bought again are too few to say what a transaction is worth; it takes {LEAST}.",
            f"买过不止一次的客户只有{len(known)}名，太少，看不出一次交易的价值；至少需要{LEAST}名。",
        )
    x, mean = known["frequency"].to_numpy(dtype="float64"), known["value"].to_numpy(dtype="float64")

    def log_likelihood(log_parameters: np.ndarray) -> float:
        p, q, gamma = np.exp(log_parameters)
        terms = -betaln(p * x, q) + q * np.log(gamma) + (p * x - 1) * np.log(mean)
        return float((terms + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * mean)).sum())

    return _maximise(log_likelihood, ("p", "q", "gamma"), (2.0, 3.0, float(mean.mean())), len(known))


def expected_transactions(fit: Fit, summary: pd.DataFrame, weeks: float) -> pd.Series:
    """Expected transactions of each customer in the next `weeks` (Fader, Hardie and Lee, 2005a, equation 10).

    The hypergeometric function is taken after Euler's transformation, whose arguments stay small however many
    transactions there were; as printed it overflows for a weekly shopper.
    """
    r, alpha, b = fit["r"], fit["alpha"], fit["b"]
    # The formula is 0/0 at a = 1, and continuous there.
    a = fit["a"] if abs(fit["a"] - 1) > 1e-6 else 1 + 1e-6
    x, age = (summary[name].to_numpy(dtype="float64") for name in ("frequency", "age"))
    z = weeks / (alpha + age + weeks)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
    active_buys = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
    return pd.Series(active_buys * probability_active(fit, summary), index=summary.index, name="transactions")


def probability_active(fit: Fit, summary: pd.DataFrame) -> pd.Series:
    """Each customer's probability of not having dropped out. One who never came back cannot have: 1."""
    odds = np.exp(np.minimum(_log_left(fit.values[:, None], summary), 700.0))[0]
    return pd.Series(1 / (1 + odds), index=summary.index, name="active")


def expected_value(fit: Fit, summary: pd.DataFrame) -> pd.Series:
    """The expected worth of a transaction: the customer's own mean, drawn towards everyone's."""
    p, q, gamma = fit.values
    x = summary["frequency"]
    seen = x * summary["value"].fillna(0.0).clip(lower=0.0)
    return (p * (gamma + seen) / (p * x + q - 1)).rename("value")


def simulate(
    transactions: Fit, values: Fit, summary: pd.DataFrame, weeks: float, draws: int = DRAWS, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """Possible futures of these customers together: for each draw, their transactions and what they are worth.

    Each draw has parameters as uncertain as they are, a customer's own rate, dropout and spend given what they did,
    and then their purchases: given activity, the rate is Gamma(r + x, alpha + age), the dropout Beta(a, b + x), and
    the transactions are Poisson until the dropout, if it comes first.
    """
    random = np.random.default_rng(seed)
    parameters = transactions.draw(random, draws).T[:, :, None], values.draw(random, draws).T[:, :, None]
    counts, worth = np.zeros(draws), np.zeros(draws)
    for start in range(0, len(summary), CHUNK):
        part = _futures(random, *parameters, summary.iloc[start : start + CHUNK], weeks)
        counts += part[0].sum(axis=1)
        worth += part[1].sum(axis=1)
    return counts, worth


def _futures(
    random: np.random.Generator, buying: np.ndarray, spending: np.ndarray, summary: pd.DataFrame, weeks: float
) -> tuple[np.ndarray, np.ndarray]:
    """(draws, customers) of transactions and of their worth. buying, spending: (parameters, draws, 1)."""
    (r, alpha, a, b), (p, q, gamma) = buying, spending
    x, age = (summary[name].to_numpy(dtype="float64") for name in ("frequency", "age"))
    seen = x * summary["value"].fillna(0.0).clip(lower=0.0).to_numpy()
    left = 1 / (1 + np.exp(-_log_left(buying, summary)))
    rate = random.gamma(r + x, 1 / (alpha + age))
    # numpy's geometric draws overflow below this; such a customer stays for ever either way.
    leaving = np.clip(random.beta(np.broadcast_to(a, rate.shape), b + x), 1e-9, 1.0)
    counts = np.minimum(random.poisson(rate * weeks), random.geometric(leaving))
    counts = np.where(random.random(rate.shape) < left, 0, counts)
    scale = random.gamma(q + p * x, 1 / (gamma + seen))
    return counts, np.where(counts > 0, random.gamma(np.maximum(p * counts, 1e-9)) / scale, 0.0)


def _log_left(parameters: np.ndarray, summary: pd.DataFrame) -> np.ndarray:
    """Log odds of having dropped out; -inf for one who never came back. parameters: (4, draws, 1) or (4, 1)."""
    r, alpha, a, b = parameters
    x, recency, age = (summary[name].to_numpy(dtype="float64") for name in ("frequency", "recency", "age"))
    again = np.maximum(x, 1.0)
    left = np.log(a) - np.log(b + again - 1) + (r + x) * (np.log(alpha + age) - np.log(alpha + recency))
    return np.atleast_2d(np.where(x > 0, left, -np.inf))


def _maximise(
    log_likelihood: Callable[[np.ndarray], float],
    names: tuple[str, ...],
    start: tuple[float, ...],
    count: int,
) -> Fit:
    """The best of several starts, over logarithms. Raises DataError when none of them ends at a maximum."""
    best = None
    for spread in (1.0, 0.2, 5.0):
        guess = np.log(np.array(start) * spread)
        found = minimize(
            lambda point: -log_likelihood(point) / count,
            guess,
            method="L-BFGS-B",
            bounds=[(-LARGEST, LARGEST)] * len(start),
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
            best = found
    if best is None:
        raise DataError(
            "The purchases do not fit the value model: no parameters have a finite likelihood.",
            "这些购买不适合价值模型：没有参数使似然有限。",
        )
    curvature = _curvature(lambda point: -log_likelihood(point), best.x)
    return Fit(names, np.exp(best.x), _inverse(curvature), -float(best.fun) * count)


def _curvature(function: Callable[[np.ndarray], float], point: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences."""
    step, size = 1e-3, len(point)
    moves = np.eye(size) * step
    out = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
            terms = [s * t * function(point + s * moves[i] + t * moves[j]) for s, t in signs]
            out[i, j] = sum(terms) / (4 * step**2)
    return (out + out.T) / 2


def _inverse(curvature: np.ndarray) -> np.ndarray:
    """The covariance; a direction that the data does not curve in has a deviation of at most 1 (of logarithms)."""
    sizes, directions = np.linalg.eigh(curvature)
    return np.asarray((directions / np.maximum(sizes, 1.0)) @ directions.T)
