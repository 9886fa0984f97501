"""What all converters to TensorFlow Lite share: which entries are made, what is refused at once."""

from __future__ import annotations

import dataclasses

from deploy_targets.converters import tflite
from deploy_targets.converters.tflite import Fixed
from deploy_targets.records import DynamicAxis, Signature, TensorSpec

BATCH = (DynamicAxis("batch", 1, 16),)
ROW = ("batch", 4)
ONE = Signature(
    (TensorSpec("x", "float32", ROW),), (TensorSpec("y", "float32", ROW),), BATCH, "batch"
)


def test_each_size_of_the_batch_that_the_model_takes_is_an_entry() -> None:
    few = dataclasses.replace(ONE, axes=(DynamicAxis("batch", 2, 4),))
    assert tflite.fixed(ONE) == (Fixed("b1", {"batch": 1}), Fixed("b8", {"batch": 8}))
    assert [entry.name for entry in tflite.fixed(few)] == ["b2", "b4"]
    assert tflite.fixed(Signature(ONE.inputs, ONE.outputs)) == (Fixed("main", {}),)


def test_other_axes_have_the_size_that_is_given_for_them() -> None:
    time = dataclasses.replace(ONE, axes=(*BATCH, DynamicAxis("time", 1, 99)))
    given = tflite.fixed(time, batches=(1,), sizes={"time": 50})
    assert given == (Fixed("b1", {"batch": 1, "time": 50}),)
    assert 1 < tflite.fixed(time)[0].sizes["time"] < 99


def test_a_datatype_that_no_tflite_holds_is_known_beforehand() -> None:
    half = dataclasses.replace(ONE, outputs=(TensorSpec("y", "bfloat16", ROW),))
    assert tflite.problems(ONE) == ()
    assert tflite.problems(half) == ("y is bfloat16, which the boundary of a .tflite cannot hold",)
