"""Vectors in two dimensions, to be looked at: their principal components (Pearson, 1901; Hotelling, 1933)."""

from __future__ import annotations

import numpy as np


def project(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Points (n, 2) of vectors (n, d), and the share (0..1) of the variance that the two dimensions hold.

    Through the covariance (d, d), so that a million vectors take no more memory than they have. Each dimension's
    sign is set by its largest weight: the same vectors give the same picture.
    """
    centre = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - centre.astype(vectors.dtype)
    covariance = (centred.T @ centred).astype(np.float64) / max(1, len(vectors) - 1)
    values, axes = np.linalg.eigh(covariance)
    top = axes[:, ::-1][:, :2]
    top = top * np.sign(top[np.abs(top).argmax(axis=0), [0, 1]])
    total = float(values.sum())
    kept = float(values[::-1][:2].sum()) / total if total > 0 else 0.0
    return np.asarray(centred @ top.astype(vectors.dtype)), kept


__all__ = ["project"]
