"""What each test costs: CPU seconds of its worker and of the processes that it waited for.

Wall time says little on a shared machine; CPU seconds add up to what a run of all tests takes.
"""

import resource
from collections.abc import Iterator

import pytest

__all__ = ["PROPERTY", "CostPlugin"]

PROPERTY = "cpu_seconds"
"""Property of a test case in the JUnit report."""


class CostPlugin:
    """A plugin of pytest that notes the cost of each test in its report."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Measure a test, fixtures apart."""
        before = _cpu_seconds()
        try:
            return (yield)
        finally:
            item.user_properties.append((PROPERTY, f"{_cpu_seconds() - before:.2f}"))


def _cpu_seconds() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)
