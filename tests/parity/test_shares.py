"""How much of a bound is used."""

from __future__ import annotations

import dataclasses
import math

import pytest

from deploy_targets.parity import judge
from deploy_targets.parity.shares import Share, noise_used, shares, used
from deploy_targets.verdicts import Bound, OutputParity

BOUND = Bound(relative_l2=1e-6, whole=3.0, part=4.0, element=16.0)
NEAR = OutputParity("c/0", "y", 0.1, 5e-7, 1.0, 0.3, 1.0, "axis 1, index 3", 12.0, (0, 3), size=9)


def test_the_largest_share_is_the_one_that_counts() -> None:
    assert used(NEAR, BOUND) == noise_used(NEAR, BOUND) == 0.75
    (worst,) = [share for share in shares(NEAR, BOUND) if share.used == 0.75]
    assert (worst.measure, worst.at) == ("worst element", "[0, 3]")


@pytest.mark.parametrize(
    "change",
    [
        {"relative_l2": 1.1e-6},
        {"whole": 3.3},
        {"part": math.nan},
        {"element": math.inf},
        {"jumped": 1},
        {"task": {"top1": 0.5}},
        {"problem": "missing"},
        {},
        {"element": 16.0},
    ],
)
def test_more_than_all_is_used_exactly_where_the_judge_refuses(change: dict[str, object]) -> None:
    parity = dataclasses.replace(NEAR, **change)  # type: ignore[arg-type]
    assert (used(parity, BOUND) <= 1) is judge.accepts(parity, BOUND)
    if not parity.problem and not parity.task:
        assert all(s.within for s in shares(parity, BOUND)) is judge.accepts(parity, BOUND)


def test_of_what_must_be_exact_nothing_is_used_until_something_differs() -> None:
    assert Share("x", 0.0, 0.0).used == 0.0
    assert Share("x", 1e-9, 0.0).used == math.inf
    assert not Share("x", math.nan, 0.0).within
