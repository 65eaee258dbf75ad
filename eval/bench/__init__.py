"""Benchmarks: scripts that print ratios against a named baseline in the same run."""
