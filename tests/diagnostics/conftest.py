"""What tests of the doctor share."""

import pytest

from harness.profiling.timing import MATMUL_SIZE


@pytest.fixture
def small_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast this machine is takes seconds to measure, and is not what these tests look at."""
    monkeypatch.setitem(MATMUL_SIZE, "cpu", 128)
