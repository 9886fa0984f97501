"""Which questions are asked, and which samples are refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from deploy_targets.errors import ConfigError
from deploy_targets.parity.cases import questions
from deploy_targets.parity.made import sizes_to_try, synthetic
from deploy_targets.records import DynamicAxis, Signature, Tensors, TensorSpec

IMAGE = TensorSpec("image", "float32", ("batch", 3, 4))
SIGNATURE = Signature(
    (IMAGE,),
    (TensorSpec("y", "float32", ("batch", 2)),),
    (DynamicAxis("batch", 1, 7),),
    batch="batch",
)


def sample(seed: int, batch: int = 1) -> Tensors:
    random = np.random.default_rng(seed)
    return {"image": random.normal(size=(batch, 3, 4)).astype(np.float32)}


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        ((1, 7), (1, 2, 5, 7)),
        ((1, 1), (1,)),
        ((1, 2), (1, 2)),
        ((0, 3), (0, 1, 3)),
        ((16, 4096), (16, 17, 258)),
    ],
)
def test_an_axis_is_tried_at_three_sizes_where_its_range_allows(
    axis: tuple[int, int], sizes: tuple[int, ...]
) -> None:
    assert sizes_to_try(DynamicAxis("a", *axis)) == sizes


def test_without_samples_every_question_is_synthetic_and_says_why() -> None:
    asked = questions(SIGNATURE, {})
    assert all(q.synthetic and q.why for q in asked)
    sized = [q for q in asked if not q.optional]
    assert [q.inputs["image"].shape[0] for q in sized] == [1, 2, 5, 7]
    assert all("batch = " in q.why for q in sized)
    assert asked[: len(sized)] == sized, "probes come last"


def test_samples_come_first_and_make_the_batches() -> None:
    samples = {f"s{i}": sample(i) for i in range(5)}
    asked = questions(SIGNATURE, samples)
    assert [q.name for q in asked[:5]] == list(samples)
    by_name = {q.name: q for q in asked}
    np.testing.assert_array_equal(by_name["batch-2"].inputs["image"][1], samples["s1"]["image"][0])
    assert not by_name["batch-5"].synthetic
    assert by_name["batch-7"].synthetic, "five samples do not make a batch of seven"


def test_the_rows_of_a_batch_differ() -> None:
    for question in questions(SIGNATURE, {}):
        if question.name == "probe-zeros":
            continue
        rows = question.inputs["image"].reshape(len(question.inputs["image"]), -1)
        assert len(np.unique(rows, axis=0)) == len(rows)


def test_an_axis_that_is_not_the_batch_is_moved_too() -> None:
    spec = TensorSpec("ids", "int64", ("batch", "time"), range=(0, 9))
    axes = (DynamicAxis("batch", 1, 2), DynamicAxis("time", 3, 50))
    asked = questions(Signature((spec,), (), axes, "batch"), {})
    assert {q.inputs["ids"].shape[1] for q in asked} == {3, 4, 14}
    assert all(0 <= q.inputs["ids"].min() <= q.inputs["ids"].max() <= 9 for q in asked)


def test_a_model_without_dynamic_axes_is_asked_something() -> None:
    fixed = Signature((TensorSpec("x", "float32", (2, 2)),), ())
    question, *probes = questions(fixed, {})
    assert question.synthetic
    assert not question.optional
    assert all(probe.optional for probe in probes)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("bool", 0, 1), ("int64", 0, 1), ("uint8", 0, 1), ("float16", -9, 9)]
)
def test_synthetic_inputs_fit_their_dtype(dtype: str, low: float, high: float) -> None:
    spec = TensorSpec("x", dtype, (64,))
    values = synthetic(Signature((spec,), ()), {}, 0)["x"]
    assert values.dtype.name == dtype
    assert low <= values.min() < values.max() <= high


def test_synthetic_inputs_are_the_same_every_time() -> None:
    first, again = synthetic(SIGNATURE, {}, 3), synthetic(SIGNATURE, {}, 3)
    np.testing.assert_array_equal(first["image"], again["image"])


def test_one_axis_has_one_size_in_a_sample() -> None:
    other = TensorSpec("other", "float32", ("batch",))
    both = Signature((IMAGE, other), (), SIGNATURE.axes, "batch")
    uneven = {**sample(0, batch=4), "other": np.zeros(1, np.float32)}
    with pytest.raises(ConfigError, match="axis batch has size 1 in other, and 4 in another"):
        questions(both, {"s": uneven})


def test_an_axis_that_may_be_empty_is_asked_empty() -> None:
    signature = dataclasses.replace(SIGNATURE, axes=(DynamicAxis("batch", 0, 4),))
    asked = questions(signature, {"s": sample(0)})
    assert {q.inputs["image"].shape[0] for q in asked} >= {0, 1}


def test_a_range_without_a_real_end_makes_no_input_that_memory_does_not_hold() -> None:
    assert max(sizes_to_try(DynamicAxis("time", 1, 2**31 - 1))) < 2000


def test_a_sample_named_like_a_made_up_case_is_refused() -> None:
    with pytest.raises(ConfigError, match="sample batch-2 has the name of a made-up case"):
        questions(SIGNATURE, {"batch-2": sample(0)})


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "sample s has no array named 'image'"),
        ({**sample(0), "extra": np.zeros(1)}, "sample s has an array 'extra'"),
        ({"image": np.zeros((1, 4, 3), np.float32)}, r"has shape \[1, 4, 3\], expected \[batch, 3"),
        ({"image": np.zeros((3, 4), np.float32)}, r"has shape \[3, 4\]"),
        ({"image": np.zeros((1, 3, 4))}, "is float64, expected float32"),
        (sample(0, batch=8), "axis batch has size 8, declared are 1 to 7"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused_by_name(tensors: Tensors, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        questions(SIGNATURE, {"s": tensors})


def test_integers_with_samples_are_asked_something_that_anyone_may_see() -> None:
    ids = Signature((TensorSpec("ids", "int64", (1, 3)),), (TensorSpec("y", "float32", (1, 3)),))
    given, made = questions(ids, {"mine": {"ids": np.array([[5, 6, 7]])}})
    assert (given.name, given.synthetic) == ("mine", False)
    assert (made.synthetic, made.optional) == (True, True)
    assert set(made.inputs["ids"].flat) <= {0, 1}


def test_an_artifact_of_fixed_sizes_is_asked_at_them() -> None:
    spec = TensorSpec("x", "float32", ("batch", "time", 2))
    axes = (DynamicAxis("batch", 1, 8), DynamicAxis("time", 2, 200))
    signature = Signature((spec,), (TensorSpec("y", "float32", ("batch",)),), axes, "batch")
    shapes = {q.name: q.inputs["x"].shape for q in questions(signature, {}, {"time": 17})}
    assert shapes["fixed-0"] == (1, 17, 2)
    assert shapes["fixed-1"] == (3, 17, 2)
    wrong = questions(signature, {}, {"time": 1, "width": 3})
    assert not any(q.name.startswith("fixed") for q in wrong), "the target refuses those itself"
