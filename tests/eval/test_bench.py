"""What the benchmarks reckon themselves."""

import numpy as np
import pytest

from eval.bench.propensity import chance_ece


def test_exact_probabilities_have_the_calibration_error_of_chance():
    """Of 250 labels in each of ten bins: the mean distance of a normal of that spread, sqrt(2 p (1 - p) / (pi n))."""
    for probability in (0.5, 0.1):
        expected = np.sqrt(2 * probability * (1 - probability) / (np.pi * 250))
        assert chance_ece(np.full(2500, probability)).mean() == pytest.approx(expected, rel=0.05)
