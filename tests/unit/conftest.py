"""Hypothesis for a busy machine: no deadline for one example, and in CI the same examples in every run."""

import os

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("unit")
