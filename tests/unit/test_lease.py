"""Which of two instances serves a company."""

from datetime import timedelta

import pytest

from component.core.lease import LEASE, may_take
from tests.unit.fakes import START


@pytest.mark.parametrize(
    ("age", "gone", "free"),
    [
        (timedelta(0), False, False),
        (LEASE, False, False),
        (LEASE + timedelta(seconds=1), False, True),
        (-LEASE, False, False),
        (-timedelta(hours=1), False, True),  # a clock was set back
        (timedelta(0), True, True),
    ],
)
def test_a_lease_is_free_when_its_holder_ended_or_stopped_renewing_it(age: timedelta, gone: bool, free: bool) -> None:
    assert may_take(START - age, START, holder_is_gone=gone) is free
