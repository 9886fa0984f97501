"""What is decided from what was measured: bounds, reasons, rows, verdicts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deploy_targets.binding import identity
from deploy_targets.parity import judge, rows
from deploy_targets.records import (
    Answer,
    Array,
    Call,
    Case,
    Check,
    Golden,
    Lane,
    OutputNoise,
    Recipe,
    Signature,
    TensorSpec,
)
from deploy_targets.verdicts import Bound, OutputParity, Row, Verdict

LANE = Lane("here", "fp32")
LOGITS = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], np.float32)
IDS = np.array([[1], [2]], np.int64)
SIGNATURE = Signature(
    (),
    (
        TensorSpec("logits", "float32", ("batch", 3), kind="classifier"),
        TensorSpec("ids", "int64", ("batch", 1)),
    ),
    batch="batch",
)
# Wide enough but for single elements.
ALLOWED = {"logits": judge.bound(OutputNoise(4e-6), 0.0, Bound), "ids": rows.EXACT}


def asked(logits: Array = LOGITS, ids: Array = IDS, **more: Array) -> Row:
    """The verdict on an artifact that answers this."""
    return answered({"logits": logits, "ids": ids, **more})


def answered(outputs: dict[str, Array]) -> Row:
    expected = {"logits": LOGITS, "ids": IDS}
    noise = {"logits": np.abs(LOGITS) * np.float32(2e-6)}
    check = Check("tensors", Call("case/0", "main", {}), expected, noise)
    entry = identity(SIGNATURE)
    parity = rows.measured(check, Answer(outputs), entry, SIGNATURE, ALLOWED)
    return rows.row(LANE, "tensors", "here", parity, ALLOWED)


def test_the_same_answer_passes() -> None:
    assert asked().verdict is Verdict.PASS


def test_an_answer_within_the_bound_passes() -> None:
    assert asked(LOGITS * np.float32(1 + 4e-6)).verdict is Verdict.PASS


def one_off(by: float) -> Array:
    found = LOGITS.copy()
    found[1, 1] += np.float32(by)
    return found


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"logits": LOGITS * np.float32(1.001)}, "relative L2 1.00e-03, allowed 1.00e-05"),
        ({"logits": one_off(3.4e-5)}, "error over noise 3.21e.00, allowed 2.50e.00"),
        ({"logits": np.where(LOGITS == 3, np.nan, LOGITS).astype(np.float32)}, "relative L2 nan"),
        ({"logits": np.where(LOGITS == 3, np.inf, LOGITS).astype(np.float32)}, "relative L2 inf"),
        ({"logits": np.full_like(LOGITS, np.nan)}, "relative L2 nan"),
        ({"logits": LOGITS[::-1].copy()}, "relative L2"),
        ({"logits": LOGITS[:1]}, r"shape \[1, 3\], expected \[2, 3\]"),
        ({"logits": LOGITS.T.copy()}, r"shape \[3, 2\]"),
        ({"logits": LOGITS.astype(np.float64)}, "dtype float64, expected float32"),
        ({"ids": IDS + 1}, "ids of case/0: 2 of 2 elements differ, allowed 0"),
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
    assert rows.row(LANE, "tensors", "here", (), {}).verdict is Verdict.NOT_RUN


def test_an_output_without_a_bound_must_be_equal() -> None:
    parity = (OutputParity("c", "surprise", 1e-9, 1e-9, 1.0),)
    assert rows.row(LANE, "tensors", "here", parity, {}).verdict is Verdict.FAIL


def test_another_decision_within_a_budget_is_refused() -> None:
    parity = OutputParity("c", "logits", 1e-6, 1e-6, 1.0, task={"top1": 0.75, "top5": 1.0})
    allowed = judge.bound(OutputNoise(1e-6), 0.5, Bound)
    assert judge.reason(parity, allowed) == "another top1 in 25.0%"


@pytest.mark.parametrize("figure", ["relative_l2", "whole", "part", "element"])
def test_each_figure_alone_refuses(figure: str) -> None:
    allowed = judge.bound(OutputNoise(1e-6), 0.0, Bound)
    limit = getattr(allowed, figure)
    parity = {name: OutputParity("c", "y", 0.0, 0.0, 1.0) for name in ("at", "over", "nan")}
    for name, value in (("at", limit), ("over", limit * 1.01), ("nan", float("nan"))):
        object.__setattr__(parity[name], figure, value)
    verdicts = {name: judge.accepts(p, allowed) for name, p in parity.items()}
    assert verdicts == {"at": True, "over": False, "nan": False}


def test_the_bound_grows_with_the_models_noise_and_the_budgets() -> None:
    recipe = Recipe("fp16", budget=1e-3)
    calm = rows.bounds(golden(OutputNoise(1e-12)), Recipe("fp32"), 0.0)["y"]
    assert calm.relative_l2 == judge.FLOOR
    noisy = rows.bounds(golden(OutputNoise(1e-4)), recipe, 1e-2)["y"]
    assert noisy.relative_l2 == pytest.approx(judge.WHOLE * 1e-4 + 1e-3 + 1e-2)
    assert noisy.budget == pytest.approx(1.1e-2)


def golden(noise: OutputNoise) -> Golden:
    case = Case("c", "", {}, {"y": np.zeros(1, np.float32)})
    signature = Signature((), (TensorSpec("y", "float32", (1,)),))
    return Golden("tensors", signature, (case,), {"y": noise})


def test_integers_may_differ_where_the_original_itself_does_and_nowhere_else() -> None:
    sure, unsure = (judge.bound(OutputNoise(0.0, jumps), 0.0, Bound) for jumps in (0.0, 0.01))
    assert (judge.may_jump(sure, 100), judge.may_jump(unsure, 100)) == (0, 8)


@pytest.mark.parametrize("noise", [float("inf"), float("nan"), 1e9])
def test_a_model_unsure_of_itself_does_not_excuse_everything(noise: float) -> None:
    bound = judge.bound(OutputNoise(noise), 0.0, Bound)
    assert judge.FLOOR <= bound.relative_l2 <= judge.CEILING


def test_verdicts_compose() -> None:
    passed, failed, silent = Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN
    lanes = (Lane("trt", "fp16"), Lane("cpu", "fp32"), Lane("old", "fp32", required=False))

    def said(**verdicts: list[Verdict]) -> Verdict:
        found = [Row(lane, "tensors", v, "") for lane, each in verdicts.items() for v in each]
        return rows.overall(lanes, found)

    assert said(trt=[passed, passed], cpu=[passed]) is passed
    assert said(trt=[passed], cpu=[passed], old=[failed]) is passed
    assert said(cpu=[passed]) is silent
    assert said(trt=[silent], cpu=[failed]) is failed
    assert said(trt=[passed, silent], cpu=[passed]) is silent
    assert rows.overall((), []) is silent


def judged(want: Array, got: Array, noise: OutputNoise, **spec: object) -> str:
    """Why an output `y` is refused; empty where it is not."""
    shape = ("n", *want.shape[1:])
    kind = str(spec.get("kind", "plain"))
    y = TensorSpec("y", want.dtype.name, shape, kind=kind)
    signature = Signature((), (y,), batch="n")
    budget = float(str(spec.get("budget", 0.0)))
    allowed = {"y": judge.bound(noise, budget, Bound)}
    sigma = {"y": np.full(want.shape, 1e-7, np.float32)} if want.dtype.kind == "f" else {}
    if "jumps" in spec:
        sigma = {"y": np.asarray(spec["jumps"], np.float32)}
    check = Check("tensors", Call("c/0", "main", {}), {"y": want}, sigma)
    (parity,) = rows.measured(check, Answer({"y": got}), identity(signature), signature, allowed)
    return judge.reason(parity, allowed["y"])


def test_labels_that_the_original_is_unsure_of_may_differ() -> None:
    want = np.arange(100).reshape(10, 10)
    got = want.copy()
    got[3, 4:9] += 1
    unsure = np.zeros(want.shape)
    unsure[0, 0] = 1
    noise = OutputNoise(0.0, 0.01, 1.0)
    assert judged(want, got, noise, jumps=unsure) == ""
    assert "5 of 100 elements differ, allowed 0" in judged(want, got, OutputNoise(0.0))


def test_an_answer_that_ties_elsewhere_is_no_excuse_for_one_that_does_not() -> None:
    want = np.arange(100).reshape(10, 10)
    got = want.copy()
    got[3, 4:9] += 1
    ties = OutputNoise(0.0, 1.0, 4.0)
    assert "5 of 100 elements differ, allowed 2" in judged(want, got, ties)
    got[3, 6:9] -= 1
    assert judged(want, got, ties) == ""
    assert "1 of 1 elements differ, allowed 0" in judged(want[:1, 0], want[:1, 0] + 1, ties)


def test_steps_that_the_original_is_unsure_of_may_jump_and_count_nowhere_else() -> None:
    want = np.random.default_rng(0).random((8, 32)).round().astype(np.float32)
    got = want.copy()
    got[2, 3] = 1 - got[2, 3]
    assert judged(want, got, OutputNoise(1e-7, 0.01, 1.0)) == ""
    assert judged(want, got, OutputNoise(1e-7)) != ""


def test_what_is_flushed_to_zero_is_no_error() -> None:
    want = np.full((2, 8), 1e-40, np.float32)
    assert judged(want, np.zeros_like(want), OutputNoise(1e-7)) == ""


def test_a_budget_does_not_drown_small_columns_beside_large_ones() -> None:
    draw = np.random.default_rng(0)
    want = np.concatenate([draw.random((4, 9, 4)) * 600, draw.random((4, 9, 1))], -1)
    got = want.copy()
    got[..., 4] = 0
    floats = want.astype(np.float32), got.astype(np.float32)
    assert judged(*floats, OutputNoise(1e-7), budget=0.005) != ""
    assert judged(floats[0], floats[0] * np.float32(1.003), OutputNoise(1e-7), budget=0.005) == ""


def test_doubles_are_judged_as_doubles() -> None:
    want = np.linspace(1.7e9, 1.8e9, 64).reshape(8, 8)
    assert judged(want, want + 300, OutputNoise(1e-12)) != ""


def test_the_rows_of_a_batch_are_no_set_of_boxes() -> None:
    want = np.arange(60, dtype=np.float32).reshape(10, 6)
    assert judged(want, want[::-1].copy(), OutputNoise(1e-7), kind="detection") != ""
