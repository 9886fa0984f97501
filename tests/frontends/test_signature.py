"""Dimensions of outputs, learnt by running."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.flatten import declared
from deploy_targets.frontends.signature import Run, infer, sizes_to_run
from deploy_targets.records import DynamicAxis, Signature, TensorSpec

X = TensorSpec("x", "float32", ("batch", "time", 4))
AXES = (DynamicAxis("batch", 1, 8), DynamicAxis("time", 1, 30))


def learn(run: Run, **changes: object) -> Signature:
    given = {"inputs": (X,), "axes": AXES, "outputs": (), "batch": "batch", **changes}
    return infer(**given, run=run)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (lambda b, t: (b, t), ("batch", "time")),
        (lambda b, t: (t, b), ("time", "batch")),
        (lambda b, t: (b * t, 3), ("batch*time", 3)),
        (lambda b, t: (4 * b,), ("batch*4",)),
        (lambda b, t: (b, t // 2), ("batch", "y_dim_1")),
        (lambda b, t: (b, t // 8), ("batch", "y_dim_1")),
        (lambda b, t: (b, t + 1), ("batch", "y_dim_1")),
        (lambda b, t: (b, 0), ("batch", 0)),
        (lambda b, t: (), ()),
    ],
)
def test_dims_are_numbers_axes_products_or_get_a_name(shape: object, expected: object) -> None:
    found = learn(lambda given: {"y": np.zeros(shape(*given["x"].shape[:2]))})  # type: ignore[operator]
    assert found.outputs[0].shape == expected


def test_every_axis_is_moved_by_itself_and_sizes_differ() -> None:
    rounds = sizes_to_run(AXES)
    assert len(rounds) == 4
    assert all(sizes["batch"] != sizes["time"] for sizes in rounds)
    assert all(len({sizes[name] for sizes in rounds}) == 3 for name in ("batch", "time"))


def test_an_axis_of_one_size_stays_within_its_range() -> None:
    assert sizes_to_run((DynamicAxis("batch", 3, 3),)) == [{"batch": 3}]


def test_outputs_that_change_rank_with_the_size_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="another dtype or rank"):
        learn(lambda given: {"y": np.zeros((1,) * given["x"].shape[0])})


def test_a_batch_is_recognised_by_splitting_it() -> None:
    assert learn(lambda given: {"y": given["x"].sum((1, 2))}, batch=None).batch == "batch"


def test_rows_that_see_each_other_are_no_batch() -> None:
    def run(given: object) -> dict[str, np.ndarray]:
        x = given["x"]  # type: ignore[index]
        return {"y": x - x.mean(0)}

    assert learn(run, batch=None).batch is None


def test_declared_outputs_give_kinds_by_name_and_new_names_by_order() -> None:
    assert declared(["a", "b"], [("b", "classifier"), ("a", "plain")]) == [
        ("a", "plain"),
        ("b", "classifier"),
    ]
    assert declared(["output_0"], [("logits", "classifier")]) == [("logits", "classifier")]


@pytest.mark.parametrize("names", [["a"], ["a", "bb"], ["p", "q", "r"]])
def test_declared_outputs_that_half_fit_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="the model returns a, b"):
        declared(["a", "b"], [(name, "plain") for name in names])
