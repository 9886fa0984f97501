"""The search, without any graph: closures over lists of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from deploy_targets.parity.bisect import (
    first_difference,
    first_parting,
    that_matter,
    tolerance,
)
from deploy_targets.records import Array, Tensors


@pytest.mark.parametrize("count", [1, 2, 3, 5, 31, 100, 121, 256, 500])
def test_a_fault_is_found_in_so_many_runs_wherever_it_is(count: int) -> None:
    for fault in range(1, count + 1):
        asked: list[int] = []

        def agrees(at: int, fault: int = fault, asked: list[int] = asked) -> bool:
            asked.append(at)
            return at < fault

        found = first_difference(count, agrees)
        assert found is not None
        assert found.step == fault
        assert found.runs == len(asked) <= math.log2(count) + 3


def test_nothing_is_found_in_one_run_where_the_end_agrees() -> None:
    asked: list[int] = []

    def agrees(at: int) -> bool:
        asked.append(at)
        return True

    assert first_difference(500, agrees) is None
    assert asked == [500]


def test_a_difference_that_was_masked_on_the_way_is_not_taken_for_the_one_that_matters() -> None:
    # The first is gone after 9, as behind a ReLU; the second reaches the end.
    found = first_difference(100, lambda at: not (3 <= at <= 9 or at >= 40))
    assert found is not None
    assert found.step in (3, 40)
    masked = first_difference(64, lambda at: not (3 <= at <= 9 or at >= 40))
    assert masked is not None
    assert masked.step == 40


@dataclass(frozen=True)
class Doubled:
    """A step that doubles the value before it."""

    original: str
    artifact: str
    feeds: tuple[tuple[str, str], ...]


def chain(length: int) -> list[Doubled]:
    """v1 = 2 * v0, v2 = 2 * v1, …"""
    return [Doubled(f"v{i}", f"v{i}", ((f"v{i - 1}", f"v{i - 1}"),)) for i in range(1, length)]


def values(length: int, wrong: dict[int, float]) -> dict[str, Array]:
    """The values of a chain whose steps at `wrong` are off by a factor, with all that follows."""
    found, value = {}, np.ones(4, np.float64)
    for index in range(length):
        value = value * (2 if index else 1) * wrong.get(index, 1.0)
        found[f"v{index}"] = value
    return found


def never(step: Doubled, known: Tensors) -> Array | None:
    """For where no step needs to be run by itself."""
    raise AssertionError(f"{step.original} was run by itself")


def test_of_steps_that_differ_the_first_is_found_without_running_any() -> None:
    parted = first_parting(chain(20), values(20, {}), values(20, {7: 1.1}), never, 1e-4)
    assert parted is not None
    assert (parted.step.original, parted.clean) == ("v7", True)
    assert parted.distance == pytest.approx(0.1)


def test_a_step_that_only_passes_a_difference_on_is_run_by_itself_and_let_go() -> None:
    ran: list[str] = []

    def alone(step: Doubled, known: Tensors) -> Array:
        (value,) = known.values()
        ran.append(step.original)
        return value * (2.2 if step.original == "v12" else 2)

    rounding = {3: 1 + 1e-6, 12: 1.1}
    parted = first_parting(chain(20), values(20, {}), values(20, rounding), alone, 1e-4)
    assert parted is not None
    assert (parted.step.original, parted.clean, ran) == ("v12", False, ["v12"])
    ran.clear()
    small = first_parting(chain(20), values(20, {}), values(20, rounding), alone, 5e-7)
    assert small is not None
    assert (small.step.original, small.clean, ran) == ("v3", True, [])


def test_where_all_agrees_no_step_is_named() -> None:
    assert first_parting(chain(9), values(9, {}), values(9, {}), never, 0.0) is None


def test_what_counts_as_agreeing_lies_between_rounding_and_the_difference() -> None:
    for distance in (1e-6, 1e-3, 1.0):
        assert 1e-7 < tolerance(distance) < distance
    assert tolerance(math.inf) == tolerance(1.0)


def test_steps_before_the_last_point_of_agreement_do_not_matter() -> None:
    steps = chain(20)
    masked = that_matter(steps, {"v3", "v4", *(f"v{i}" for i in range(8, 20))}, {"v19"})
    assert masked[0].artifact in ("v6", "v7", "v8")
    assert "v4" not in {step.artifact for step in masked}
    alive = that_matter(steps, {f"v{i}" for i in range(3, 20)}, {"v19"})
    assert [step.artifact for step in alive][-17:] == [f"v{i}" for i in range(3, 20)]
    assert that_matter(steps, {"v3"}, {"v19"}) == []
