"""Offline evaluation: question sets with gold by execution, scorers, a resumable runner, benchmarks."""
