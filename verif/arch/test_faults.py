import pytest

from arch.errors import TaktError
from arch.faults import Fault, FaultError, FaultKind


def test_codes() -> None:
    assert [int(kind) for kind in FaultKind] == list(range(1, 1 + len(FaultKind)))


def test_the_earliest_cycle_wins_then_the_lowest_queue_then_the_lowest_code() -> None:
    expected = [
        Fault(1, 9, FaultKind.DOUBLE_DRIVE),
        Fault(2, 3, FaultKind.ILLEGAL),
        Fault(2, 3, FaultKind.UNWRITTEN),
        Fault(2, 4, FaultKind.ILLEGAL),
    ]
    shuffled = [expected[i] for i in (2, 0, 3, 1)]
    assert sorted(shuffled, key=lambda fault: fault.key) == expected


def test_error_names_unit_cycle_and_detail() -> None:
    fault = Fault(17, 3, FaultKind.UNWRITTEN, "E5 at position 9")
    with pytest.raises(TaktError, match="^UNWRITTEN at unit MEM_W3, cycle 17: E5 at position 9$") as caught:
        raise FaultError(fault, "MEM_W3")
    assert isinstance(caught.value, FaultError)
    assert caught.value.fault is fault
    assert str(FaultError(Fault(0, 1, FaultKind.BUSY), "MEM_W1")) == "BUSY at unit MEM_W1, cycle 0"


def test_detail_is_not_compared_with_other_implementations() -> None:
    assert Fault(1, 2, FaultKind.BUSY, "a").key == Fault(1, 2, FaultKind.BUSY, "b").key == (1, 2, 4)
