"""What the list of faults says of itself, and that docs/faults.md says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.testing.faults import FAULTS, Fault, Place
from deploy_targets.testing.faults.__main__ import table

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"

KINDS = {
    *("swapped_axes", "bgr_for_rgb", "nhwc_for_nchw", "normalization_dropped"),
    *("wrong_norm_epsilon", "one_weight_changed", "weights_exchanged", "weights_stale"),
    *("bias_dropped", "relu6_turned_relu", "softmax_on_wrong_axis", "outputs_exchanged"),
    *("batch_reversed", "batch_baked_in", "output_frozen", "nan_in_one_element"),
    *("infinity_in_one_element", "truncated", "scale_wrong", "zero_point_wrong"),
    *("activations_saturated", "float16_overflow", "padding_one_off", "align_corners_flipped"),
    *("dtype_narrowed", "last_frame_missing"),
}
"""What every check of parity is measured by; others may come and go."""


def test_the_kinds_that_a_verdict_is_measured_by_are_there() -> None:
    assert set(FAULTS) >= KINDS
    assert {fault.place for fault in FAULTS.values()} == set(Place)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_says_what_it_is_in_one_sentence(fault: Fault) -> None:
    assert fault.what.endswith(".")
    assert fault.what.count(". ") == 0
    assert fault.means
    assert "|" not in fault.what + fault.means
    assert fault.strengths
    assert len(set(fault.strengths)) == len(fault.strengths)


def test_the_page_lists_every_fault_as_it_is() -> None:
    assert table().strip() in PAGE.read_text(encoding="utf-8"), (
        "docs/faults.md is behind: python -m deploy_targets.testing.faults"
    )


def test_the_example_of_the_page_runs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert callable(names["is_accepted"])
