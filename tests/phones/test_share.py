"""Which cases an emulated ARM is asked: by what was measured, and by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deploy_targets.phones.share import Share
from deploy_targets.records import Call


def call(name: str, entry: str = "b1", rows: int = 1) -> Call:
    return Call(name, entry, {"x": np.zeros((rows, 100), np.float32)})


def asked(share: Share, calls: list[Call], seconds: float) -> list[str]:
    """The names that are asked, where a row of the batch takes so long."""
    found = []
    for each in calls:
        if not share.leaves_out(each):
            share.took(each, seconds * len(each.inputs["x"]))
            found.append(each.name)
    return found


CALLS = [call(f"case{number}/0") for number in range(10)]


def test_a_small_model_is_asked_everything() -> None:
    share = Share({"arm": "auto"}, 60)
    assert len(asked(share, CALLS, 1.0)) == 10
    assert share.notes == ()


def test_a_large_model_is_asked_what_fits_into_the_time() -> None:
    assert asked(Share({"arm": "auto"}, 60), CALLS, 25.0) == ["case0/0", "case1/0"]


def test_the_first_is_asked_however_long_it_takes() -> None:
    assert asked(Share({"arm": "auto"}, 60), CALLS, 500.0) == ["case0/0"]


@pytest.mark.parametrize("name", ["case7", "case7/0"])
def test_named_cases_are_asked_besides(name: str) -> None:
    share = Share({"arm": "auto", "arm_cases": [name]}, 60)
    assert asked(share, CALLS, 25.0) == ["case0/0", "case1/0", "case7/0"]


def test_named_cases_take_nobodys_time() -> None:
    share = Share({"arm": "auto", "arm_cases": ["case0", "case1"]}, 60)
    assert asked(share, CALLS, 25.0) == ["case0/0", "case1/0", "case2/0", "case3/0"]


def test_the_batch_of_a_new_entry_is_reckoned_with_before_it_is_asked() -> None:
    calls = [call("one/0"), call("eight/0", "b8", 8), call("two/0")]
    assert asked(Share({"arm": "auto"}, 60), calls, 10.0) == ["one/0", "two/0"]


def test_all_means_all() -> None:
    assert len(asked(Share({"arm": "all"}, 60), CALLS, 500.0)) == 10


def test_why_a_case_is_left_out_is_the_same_for_all_and_names_the_options() -> None:
    share = Share({"arm": "auto"}, 60)
    share.took(CALLS[0], 70)
    (why,) = {share.leaves_out(each) for each in CALLS[1:]}
    for said in ("60 s", 'arm = "all"', "arm_cases"):
        assert said in why


def test_a_name_that_no_case_has_is_noted() -> None:
    options: dict[str, Any] = {"arm": "auto", "arm_cases": ["case7", "cat"]}
    share = Share(options, 60)
    asked(share, CALLS, 1.0)
    (note,) = share.notes
    assert "'cat'" in note
