"""Each peer's rule does what its description says, its holes included."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.parity import peers
from benchmarks.parity.peers import RULES, Pair, Rule, Seen

WANT = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)


def rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def seen(got: np.ndarray, want: np.ndarray = WANT) -> Seen:
    pair = Pair({"y": want}, {"y": got})
    return Seen([pair], pair)


def changed(by: float) -> np.ndarray:
    got = WANT.copy()
    got[1, 2, 3] += by
    return got


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.name)
def test_every_rule_accepts_what_is_equal_at_any_threshold(each: Rule) -> None:
    assert each.accepts(seen(WANT.copy()))
    assert each.score(seen(WANT.copy())) <= 0.0


COMPARING = ("Olive", "Model Navigator", "Optimum", "AI Hub Models", "ExecuTorch suite")


@pytest.mark.parametrize("name", [*COMPARING, "onnx2tf", "Polygraphy"])
def test_a_rule_that_compares_numbers_detects_a_gross_change_once_its_threshold_is_moved(
    name: str,
) -> None:
    threshold = rule(name).score(seen(changed(1e-6)))
    assert rule(name).accepts(seen(changed(1e-6)), threshold)
    assert not rule(name).accepts(seen(changed(1.0)), threshold)


def test_ultralytics_sees_another_top1_only_with_a_floor() -> None:
    exchanged = WANT[..., ::-1].copy()
    assert rule("Ultralytics").accepts(seen(exchanged))
    assert not rule("Ultralytics").accepts(seen(exchanged), 0.0)
    assert rule("Ultralytics").accepts(seen(2 * WANT), 0.0)


def test_mmdeploy_accepts_anything() -> None:
    assert rule("MMDeploy").accepts(seen(changed(math.nan)))


def test_olive_lets_nan_pass_whatever_its_threshold() -> None:
    assert rule("Olive").accepts(seen(changed(math.nan)), 1e-9)
    assert not rule("Olive").accepts(seen(changed(1e-3)), 1e-9)


def test_model_navigator_refuses_nan_and_a_wrong_count_of_outputs_alone() -> None:
    assert not rule("Model Navigator").accepts(seen(changed(math.nan)))
    missing = Seen([Pair({"y": WANT, "z": WANT}, {"y": WANT})])
    assert not rule("Model Navigator").accepts(missing)
    assert rule("Model Navigator").accepts(seen(changed(100.0)))


def test_optimum_looks_at_one_input() -> None:
    right, wrong = Pair({"y": WANT}, {"y": WANT}), Pair({"y": WANT}, {"y": WANT + 1})
    assert rule("Optimum").accepts(Seen([right, wrong]))
    assert not rule("Optimum").accepts(Seen([wrong, right]))
    assert rule("Optimum").warns_only


def test_optimum_allows_what_allclose_allows() -> None:
    for by in (0.9e-4, 1.2e-4, 5e-3):
        got = changed(by)
        close = np.allclose(got.astype(float), WANT.astype(float), rtol=1e-5, atol=1e-4)
        assert rule("Optimum").accepts(seen(got)) is close


def test_ai_hub_models_asserts_nothing_of_any_number() -> None:
    assert rule("AI Hub Models").accepts(seen(changed(1e6)))
    assert rule("AI Hub Models").accepts(seen(changed(math.nan)))


def test_onnx2tf_takes_any_permutation_of_axes_that_fits() -> None:
    square = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
    assert rule("onnx2tf").accepts(seen(square.T.copy(), square))
    assert not rule("onnx2tf").accepts(seen(square + 1, square))


def test_onnx2tf_takes_nan_for_zero_and_skips_vectors() -> None:
    want = np.zeros((2, 2), np.float32)
    assert rule("onnx2tf").accepts(seen(np.full((2, 2), np.nan, np.float32), want))
    vector = np.arange(3, dtype=np.float32)
    assert rule("onnx2tf").accepts(seen(vector + 5, vector))


def test_the_suite_of_executorch_is_allclose_with_equal_nans() -> None:
    for by in (0.05, 0.3):
        got = changed(by)
        close = np.allclose(got.astype(float), WANT.astype(float), rtol=4e-2, atol=1e-1)
        assert rule("ExecuTorch suite").accepts(seen(got)) is close
    nan = changed(math.nan)
    assert rule("ExecuTorch suite").accepts(seen(nan.copy(), nan))
    assert not rule("ExecuTorch suite").accepts(seen(nan))


def test_polygraphy_fails_an_element_only_if_both_tolerances_are_exceeded() -> None:
    tiny = np.full((2, 2), 1e-6, np.float32)
    assert rule("Polygraphy").accepts(seen(-tiny, tiny))
    large = np.full((2, 2), 1e6, np.float32)
    assert rule("Polygraphy").accepts(seen(large + 1, large))
    assert not rule("Polygraphy").accepts(seen(WANT + 1e-3))


def test_arrays_of_another_shape_cannot_be_subtracted_by_anybody() -> None:
    for name in ("Olive", "Optimum", "AI Hub Models", "ExecuTorch suite", "Polygraphy"):
        assert rule(name).score(seen(WANT[:1])) == peers.WRONG
