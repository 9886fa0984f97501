"""What is measured, and what is decided from it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deploy_targets.binding import identity
from deploy_targets.parity import judge
from deploy_targets.parity.compare import compare, cosine, relative_l2, top1
from deploy_targets.records import (
    Answer,
    Array,
    Call,
    Case,
    Check,
    Golden,
    Lane,
    OutputParity,
    Recipe,
    Row,
    Signature,
    TensorSpec,
    Verdict,
)

LANE = Lane("here", "fp32")
LOGITS = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], np.float32)
IDS = np.array([[1], [2]], np.int64)


def asked(logits: Array = LOGITS, ids: Array = IDS, **more: Array) -> Row:
    """The verdict on an artifact that answers this."""
    return answered({"logits": logits, "ids": ids, **more})


def answered(outputs: dict[str, Array]) -> Row:
    signature = Signature(
        (),
        (TensorSpec("logits", "float32", ("batch", 3)), TensorSpec("ids", "int64", ("batch", 1))),
    )
    check = Check("tensors", Call("case/0", "main", {}), {"logits": LOGITS, "ids": IDS})
    parity = compare(check, Answer(outputs), identity(signature), frozenset({"logits"}))
    return judge.judge(LANE, "tensors", "here", parity, {"logits": 1e-5, "ids": 0.0})


def test_the_same_answer_passes() -> None:
    assert asked().verdict is Verdict.PASS


def test_an_answer_within_the_bound_passes() -> None:
    assert asked(LOGITS * np.float32(1 + 5e-6)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"logits": LOGITS * np.float32(1.001)}, "relative L2 1.00e-03, allowed 1.00e-05"),
        ({"logits": np.where(LOGITS == 3, np.nan, LOGITS).astype(np.float32)}, "relative L2 nan"),
        ({"logits": np.where(LOGITS == 3, np.inf, LOGITS).astype(np.float32)}, "relative L2 inf"),
        ({"logits": np.full_like(LOGITS, np.nan)}, "relative L2 nan"),
        ({"logits": LOGITS[::-1].copy()}, "relative L2"),
        ({"logits": LOGITS[:1]}, r"shape \[1, 3\], expected \[2, 3\]"),
        ({"logits": LOGITS.T.copy()}, r"shape \[3, 2\]"),
        ({"logits": LOGITS.astype(np.float64)}, "dtype float64, expected float32"),
        ({"ids": IDS + 1}, "ids of case/0"),
        ({"extra": IDS}, "not an output of the model"),
    ],
)
def test_a_wrong_answer_fails_and_says_why(spoilt: dict[str, Array], reason: str) -> None:
    row = asked(**spoilt)  # type: ignore[arg-type]
    assert row.verdict is Verdict.FAIL
    assert re.search(reason, row.reason), row.reason


def test_a_missing_output_fails() -> None:
    row = answered({"logits": LOGITS})
    assert (row.verdict, "ids of case/0: missing" in row.reason) == (Verdict.FAIL, True)


def test_exchanged_outputs_fail() -> None:
    assert answered({"logits": IDS, "ids": LOGITS}).verdict is Verdict.FAIL


def test_nothing_asked_is_not_run() -> None:
    assert judge.judge(LANE, "tensors", "here", (), {}).verdict is Verdict.NOT_RUN


def test_an_output_without_a_bound_must_be_equal() -> None:
    parity = (OutputParity("c", "surprise", 1e-9, 1e-9, 1.0),)
    assert judge.judge(LANE, "tensors", "here", parity, {}).verdict is Verdict.FAIL


def test_another_top1_within_the_bound_fails_a_classifier() -> None:
    close = np.array([[1.0, 1.0 + 1e-6]], np.float32)
    parity = OutputParity("c", "logits", 1e-6, 1e-6, 1.0, top1=top1(close, close[:, ::-1]))
    row = judge.judge(LANE, "tensors", "here", (parity,), {"logits": 1e-5})
    assert (row.verdict, "another top-1 in 100% of rows" in row.reason) == (Verdict.FAIL, True)


def test_any_of_equal_largest_elements_is_a_right_top1() -> None:
    want = np.array([[1.0, 2.0, 2.0]])
    assert top1(want, np.array([[0.0, 3.0, 1.0]])) == 1.0
    assert top1(want, np.array([[3.0, 2.0, 1.0]])) == 0.0


def test_nan_where_the_reference_has_nan_is_no_difference() -> None:
    want = np.array([np.nan, np.inf, 2.0])
    assert relative_l2(want, want.copy()) == 0.0
    assert not relative_l2(want, np.array([0.0, np.inf, 2.0])) <= 1.0
    assert not relative_l2(want, np.array([np.nan, -np.inf, 2.0])) <= 1.0


def test_a_reference_of_zeros_allows_zeros_alone() -> None:
    zeros = np.zeros(3)
    assert (relative_l2(zeros, zeros), cosine(zeros, zeros)) == (0.0, 1.0)
    assert relative_l2(zeros, np.full(3, 1e-9)) > 1.0


def golden(noise: float, output: Array) -> Golden:
    case = Case("c", "", {}, {"y": output})
    signature = Signature((), (TensorSpec("y", output.dtype.name, output.shape),))
    return Golden("tensors", signature, (case,), {"y": noise})


def test_the_bound_grows_with_the_models_noise_and_the_budgets() -> None:
    floats, integers = np.zeros(1, np.float32), np.zeros(1, np.int64)
    recipe = Recipe("fp16", budget=1e-3)
    assert judge.bounds([golden(1e-12, floats)], Recipe("fp32"), 0.0) == {"y": judge.FLOOR}
    noisy = judge.bounds([golden(1e-4, floats)], recipe, 1e-2)["y"]
    assert noisy == pytest.approx(judge.FACTOR * 1e-4 + 1e-3 + 1e-2)
    assert judge.bounds([golden(0.0, integers)], recipe, 1e-2) == {"y": 0.0}


@pytest.mark.parametrize("noise", [float("inf"), float("nan"), 1e9])
def test_a_model_unsure_of_itself_does_not_excuse_everything(noise: float) -> None:
    bound = judge.bounds([golden(noise, np.zeros(1, np.float32))], Recipe("fp32"), 0.0)["y"]
    assert judge.FLOOR <= bound <= judge.CEILING


def test_verdicts_compose() -> None:
    passed, failed, silent = Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN
    lanes = (Lane("trt", "fp16"), Lane("cpu", "fp32"), Lane("old", "fp32", required=False))

    def said(**verdicts: list[Verdict]) -> Verdict:
        rows = [Row(lane, "tensors", v, "") for lane, each in verdicts.items() for v in each]
        return judge.overall(lanes, rows)

    assert said(trt=[passed, passed], cpu=[passed]) is passed
    assert said(trt=[passed], cpu=[passed], old=[failed]) is passed
    assert said(cpu=[passed]) is silent
    assert said(trt=[silent], cpu=[failed]) is failed
    assert said(trt=[passed, silent], cpu=[passed]) is silent
    assert judge.overall((), []) is silent


def test_equal_infinities_and_nan_do_not_count_against_an_artifact() -> None:
    want = np.array([[np.nan, 1.0, np.inf], [-np.inf, 2.0, 3.0]], np.float32)
    assert (relative_l2(want, want.copy()), cosine(want, want.copy())) == (0.0, pytest.approx(1.0))
    moved = want.copy()
    moved[0, 1] = np.nan
    assert not relative_l2(want, moved) <= 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e-37, 1.0, 1e200])
def test_size_does_not_hide_a_difference_nor_make_one(scale: float) -> None:
    want = np.array([1.0, 2.0, 3.0]) * scale
    assert (relative_l2(want, want.copy()), cosine(want, want.copy())) == (0.0, pytest.approx(1.0))
    assert relative_l2(want, want * 9) == pytest.approx(8.0)


def test_a_cosine_that_is_too_small_is_called_so() -> None:
    parity = OutputParity("c", "y", 0.0, 1e-6, 0.5)
    row = judge.judge(LANE, "tensors", "here", (parity,), {"y": 1e-5})
    assert (row.verdict, "cosine 0.5" in row.reason) == (Verdict.FAIL, True)


def test_an_original_that_says_nan_is_right_where_the_artifact_says_it_too() -> None:
    want = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    assert top1(want, want.copy()) == 1.0
    assert top1(want, np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])) == 0.5
