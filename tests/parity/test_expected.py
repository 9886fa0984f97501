"""Answers that come with a sample: told apart from inputs, and held against the original's."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.parity import expected
from deploy_targets.records import Array, Case, Signature, TensorSpec

SIGNATURE = Signature(
    (TensorSpec("x", "float32", (4,)), TensorSpec("both", "float32", (4,))),
    (TensorSpec("y", "float32", (4,)), TensorSpec("both", "float32", (4,))),
)
X = np.array([1.0, 2.0, -3.0, 1000.0], np.float32)


def check(want: Array, got: Array) -> None:
    expected.check([Case("cat", "a sample", {}, {"y": got})], {"cat": {"y": want}})


def test_arrays_named_as_outputs_are_what_is_expected() -> None:
    asked, wanted = expected.split({"cat": {"x": X, "y": X}, "dog": {"x": X}}, SIGNATURE)
    assert {name: sorted(tensors) for name, tensors in asked.items()} == {
        "cat": ["x"],
        "dog": ["x"],
    }
    assert {name: sorted(tensors) for name, tensors in wanted.items()} == {"cat": ["y"]}


def test_a_name_that_is_input_and_output_is_an_input_and_a_stranger_stays_to_be_refused() -> None:
    asked, wanted = expected.split({"cat": {"both": X, "z": X}}, SIGNATURE)
    assert sorted(asked["cat"]) == ["both", "z"]
    assert wanted == {}


@pytest.mark.parametrize(
    "got",
    [X, X * np.float32(1 + 9e-4), X + np.float32(9e-3)],
    ids=["the same", "off by less than 1e-3 of itself", "off by less than 1e-5 of the largest"],
)
def test_what_another_machine_would_answer_is_accepted(got: Array) -> None:
    check(X, got)


@pytest.mark.parametrize("factor", [1.01, -1.0, np.nan, np.inf])
def test_another_answer_names_sample_output_element_and_both_values(factor: float) -> None:
    got = X.copy()
    got[2] *= np.float32(factor)
    with pytest.raises(UnsupportedModel) as caught:
        check(X, got)
    assert "does not give the y that sample cat expects: y[2] is " in str(caught.value)
    assert "expected -3.0 (1 of 4 elements" in str(caught.value)
    assert "record the answer again" in caught.value.hint


def test_the_worst_element_is_the_one_that_is_named() -> None:
    got = X + np.array([0.1, 0.0, 0.5, 0.0], np.float32)
    with pytest.raises(UnsupportedModel, match=r"y\[2\] is -2.5"):
        check(X, got)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_same_nan_or_infinity_is_right_and_a_number_in_its_place_is_not(value: float) -> None:
    want = X.copy()
    want[1] = value
    check(want, want.copy())
    with pytest.raises(UnsupportedModel, match=r"y\[1\] is 2.0"):
        check(want, X)


def test_integers_and_booleans_are_right_or_wrong() -> None:
    check(np.array([2**62 + 1]), np.array([2**62 + 1]))
    with pytest.raises(UnsupportedModel, match="expected 4611686018427387905"):
        check(np.array([2**62 + 1]), np.array([2**62]))
    with pytest.raises(UnsupportedModel):
        check(np.array([True]), np.array([False]))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_short_floats_may_be_off_by_two_of_their_last_bits(dtype: type) -> None:
    want = np.array([1.0], dtype)
    step = float(ml_dtypes.finfo(dtype).eps)
    check(want, np.array([1 + 2 * step], dtype))
    with pytest.raises(UnsupportedModel):
        check(want, np.array([1 + 8 * step], dtype))


def test_zeros_allow_next_to_nothing() -> None:
    zeros = np.zeros(3, np.float32)
    check(zeros, zeros + np.float32(5e-8))
    with pytest.raises(UnsupportedModel):
        check(zeros, zeros + np.float32(1e-5))


def test_scalars_and_empty_tensors_are_compared_too() -> None:
    check(np.float32(3.0) * np.ones(()), np.float32(3.0) * np.ones(()))
    check(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
    with pytest.raises(UnsupportedModel, match=r"expected float32\[0, 3\]"):
        check(np.zeros((0, 3), np.float32), np.zeros((1, 3), np.float32))
    with pytest.raises(UnsupportedModel, match=r"y is 4\.0, expected 3\.0"):
        check(np.array(3.0), np.array(4.0))


@pytest.mark.parametrize("want", [X.astype(np.float64), X[None]], ids=["dtype", "rank"])
def test_an_answer_of_another_dtype_or_rank_is_a_mistake_in_the_sample(want: Array) -> None:
    with pytest.raises(ConfigError, match="sample cat expects y to be"):
        check(want, X)


def test_a_stricter_tolerance_refuses_what_the_lenient_one_takes() -> None:
    case = Case("cat", "a sample", {}, {"y": X + np.float32(9e-3)})
    expected.check([case], {"cat": {"y": X}})
    strict = expected.Tolerance(1e-3, of_the_largest=0.0, absolute=1e-7, last_bits=0.0)
    with pytest.raises(UnsupportedModel, match=r"y\[0\] is 1\.00"):
        expected.check([case], {"cat": {"y": X}}, {"y": strict})
