"""Measurements: `python -m benchmarks objects|…`. Each prints ratios of things measured in one run."""
