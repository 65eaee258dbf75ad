"""Partitions of behaviour vectors: k-means, how many groups there are, and density clustering beside it.

Both look at the first ten principal components: on the demo workspace k-means over whole vectors comes out
differently under resampling whatever k (agreement at most 0.58), over ten components it is stable (0.81).

k is the best separated (silhouette) among those that come out the same when a fifth of the customers is left
out (stability: mean adjusted Rand index against the partition of all, Ben-Hur et al. 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segments.errors import Sentence

K_RANGE = range(3, 9)
DIMENSIONS = 10
ITERATIONS, STARTS, SEED = 40, 8, 7
SILHOUETTE_SAMPLE = 2000
CHOSEN_ON = 20_000
"""Customers, drawn at random, on which k is chosen when there are more."""
RESAMPLES, RESAMPLE_SHARE = 5, 0.8
STABLE_FROM = 0.75
"""Adjusted Rand index from which a partition counts as stable; above 0.75 is 'good' by Steinley (2004)."""
DENSITY_SAMPLE, DENSITY_SHARE = 5000, 0.02
"""HDBSCAN: customers it looks at, and the least share of them that makes a group."""


@dataclass(frozen=True)
class Partition:
    """labels (n,): group of every row. stability: mean adjusted Rand index under resampling."""

    labels: np.ndarray
    silhouette: float
    stability: float
    reason: Sentence


@dataclass(frozen=True)
class Density:
    """What HDBSCAN sees: the number of dense groups, the share of customers in none, one sentence."""

    groups: int
    outside: float
    reason: Sentence


def partition(matrix: np.ndarray, k: int | None = None) -> Partition:
    """The rows of matrix (n, d) in k groups; k None: the best separated stable number of 3 to 8."""
    matrix = _reduced(matrix)
    if k is not None:
        return _as_asked(matrix, k)
    sample = _sample(matrix, CHOSEN_ON)
    tried = {n: _kmeans(sample, n) for n in K_RANGE if n < len(sample)}
    separated = {n: _silhouette(sample, labels) for n, labels in tried.items()}
    stable = {n: _stability(sample, labels, n) for n, labels in tried.items()}
    chosen, reason = choose_k(separated, stable)
    labels = tried[chosen] if len(sample) == len(matrix) else _kmeans(matrix, chosen)
    return Partition(labels, separated[chosen], stable[chosen], reason)


def _as_asked(matrix: np.ndarray, k: int) -> Partition:
    """The rows of a reduced matrix in k groups, and how these hold."""
    labels, sample = _kmeans(matrix, k), _sample(matrix, CHOSEN_ON)
    tried = labels if len(sample) == len(matrix) else _kmeans(sample, k)
    separated, stable = _silhouette(matrix, labels), _stability(sample, tried, k)
    holds = stable >= STABLE_FROM
    reason = Sentence(
        f"{k} was asked for: silhouette {separated:.3f}; "
        f"{'stable' if holds else 'not stable'}: agreement {stable:.2f} under resampling",
        f"{k}类是按要求分的：轮廓系数 {separated:.3f}；"
        f"结果{'稳定' if holds else '不稳定'}：重抽样一致性 {stable:.2f}",
    )
    return Partition(labels, separated, stable, reason)


def choose_k(separated: dict[int, float], stable: dict[int, float]) -> tuple[int, Sentence]:
    """The number of groups, and the reason in a sentence, from silhouette and stability by k."""
    best = max(separated, key=lambda n: separated[n])
    least, most = min(separated), max(separated)
    enough = [n for n in separated if stable[n] >= STABLE_FROM]
    if best in enough:
        return best, Sentence(
            f"{best} separates best: silhouette {separated[best]:.3f} of {least} to {most} groups tried; "
            f"stable: agreement {stable[best]:.2f} under resampling",
            f"试过{least}至{most}类，分成{best}类区分度最好：轮廓系数 {separated[best]:.3f}；"
            f"结果稳定：重抽样一致性 {stable[best]:.2f}",
        )
    if enough:
        chosen = max(enough, key=lambda n: separated[n])
        return chosen, Sentence(
            f"{chosen} separates best of those stable under resampling: silhouette {separated[chosen]:.3f}, "
            f"agreement {stable[chosen]:.2f} of {least} to {most} groups tried; "
            f"{best} separates better ({separated[best]:.3f}) but comes out differently each time ({stable[best]:.2f})",
            f"试过{least}至{most}类，在重抽样下稳定的分法中，{chosen}类区分度最好：轮廓系数 {separated[chosen]:.3f}，"
            f"一致性 {stable[chosen]:.2f}；{best}类区分度更好（{separated[best]:.3f}），"
            f"但每次结果不同（一致性 {stable[best]:.2f}）",
        )
    chosen = max(stable, key=lambda n: stable[n])
    return chosen, Sentence(
        f"{chosen} is the most stable under resampling: agreement {stable[chosen]:.2f}, "
        f"silhouette {separated[chosen]:.3f} of {least} to {most} groups tried; none reaches {STABLE_FROM}, "
        "so take the borders between the groups as convenient, not natural",
        f"试过{least}至{most}类，{chosen}类在重抽样下最稳定：一致性 {stable[chosen]:.2f}，"
        f"轮廓系数 {separated[chosen]:.3f}；没有一种达到 {STABLE_FROM}，"
        "因此各类之间的界线只是为了方便，并非天然存在",
    )


def density(matrix: np.ndarray) -> Density:
    """Dense groups by HDBSCAN on the first principal components, without a number of groups given."""
    sample = _sample(matrix, DENSITY_SAMPLE)
    least = max(5, round(DENSITY_SHARE * len(sample)))
    if len(sample) <= 2 * least:
        return Density(
            0,
            1.0,
            Sentence(
                f"there are too few customers ({len(sample)}) for density clustering",
                f"客户太少（{len(sample)}名），无法做密度聚类",
            ),
        )
    labels = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(_reduced(sample))
    groups, outside = int(labels.max() + 1), float((labels < 0).mean())
    if not groups:
        none = Sentence(
            "density clustering finds no dense group: customers shade into one another",
            "密度聚类没有找到密集的群体：客户之间是渐变的",
        )
        return Density(0, outside, none)
    return Density(
        groups,
        outside,
        Sentence(
            f"density clustering finds {groups} dense group{'s' if groups > 1 else ''} "
            f"and leaves {outside:.0%} of the customers outside",
            f"密度聚类找到{groups}个密集群体，另有{outside:.0%}的客户不属于任何一个",
        ),
    )


def _reduced(matrix: np.ndarray) -> np.ndarray:
    size = min(DIMENSIONS, *matrix.shape)
    projected = PCA(size, random_state=SEED).fit(_sample(matrix, CHOSEN_ON)).transform(matrix)
    return np.ascontiguousarray(projected, dtype=np.float32)


def _sample(matrix: np.ndarray, most: int) -> np.ndarray:
    if len(matrix) <= most:
        return matrix
    rows = np.random.default_rng(SEED).choice(len(matrix), most, replace=False)
    return np.ascontiguousarray(matrix[np.sort(rows)])


def _kmeans(matrix: np.ndarray, k: int, fit_on: np.ndarray | None = None) -> np.ndarray:
    """Groups of the rows of matrix, by centres fitted on them (or on other rows)."""
    model = faiss.Kmeans(matrix.shape[1], k, niter=ITERATIONS, nredo=STARTS, seed=SEED, spherical=True)
    model.train(matrix if fit_on is None else fit_on)
    _, found = model.index.search(matrix, 1)
    return np.asarray(found[:, 0])


def _silhouette(matrix: np.ndarray, labels: np.ndarray) -> float:
    if len(set(labels)) < 2:
        return 0.0
    size = min(SILHOUETTE_SAMPLE, len(matrix))
    return float(silhouette_score(matrix, labels, metric="cosine", sample_size=size, random_state=SEED))


def _stability(matrix: np.ndarray, labels: np.ndarray, k: int) -> float:
    random = np.random.default_rng(SEED)
    size = max(k, round(RESAMPLE_SHARE * len(matrix)))
    found = []
    for _ in range(RESAMPLES):
        rows = np.sort(random.choice(len(matrix), size, replace=False))
        found.append(adjusted_rand_score(labels, _kmeans(matrix, k, np.ascontiguousarray(matrix[rows]))))
    return float(np.mean(found))
