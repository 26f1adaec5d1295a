"""Benchmarks: medians of several runs, beside the server's own work where there is one to compare with. Never gates."""
