"""Two dimensions of many: the ones that spread most, told with how much they hold."""

import numpy as np

from indexes.projection import project


def test_it_finds_the_plane_in_which_points_lie():
    rng = np.random.default_rng(1)
    flat = rng.normal(size=(500, 2)) * [3.0, 1.0]
    plane, _ = np.linalg.qr(rng.normal(size=(20, 2)))
    vectors = (flat @ plane.T + 0.01 * rng.normal(size=(500, 20))).astype(np.float32)
    points, kept = project(vectors)
    assert points.shape == (500, 2)
    assert kept > 0.99
    assert points.std(axis=0)[0] > 2 * points.std(axis=0)[1]
    apart = np.linalg.norm(vectors[:50, None] - vectors[None, :50], axis=2)
    seen = np.linalg.norm(points[:50, None] - points[None, :50], axis=2)
    assert np.abs(apart - seen).max() < 0.2


def test_the_same_vectors_give_the_same_picture():
    vectors = np.random.default_rng(2).normal(size=(100, 8)).astype(np.float32)
    first, second = project(vectors)[0], project(vectors.copy())[0]
    assert np.array_equal(first, second)


def test_vectors_that_are_all_alike_are_one_point():
    points, kept = project(np.ones((5, 4), dtype=np.float32))
    assert np.allclose(points, 0)
    assert kept == 0.0
