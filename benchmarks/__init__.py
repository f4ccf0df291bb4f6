"""Measures what the project promises about speed: `python -m benchmarks [name…] [--quick]`."""
