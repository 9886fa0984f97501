"""Made-up inputs that find what samples let pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from deploy_targets.parity.cases import questions
from deploy_targets.parity.golden import record
from deploy_targets.parity.made import Question
from deploy_targets.parity.probes import probes
from deploy_targets.records import Array, DynamicAxis, Signature, TensorSpec

from .test_golden import Function

IMAGE = Signature(
    (TensorSpec("image", "float32", ("n", 4, 4, 4)), TensorSpec("token", "int64", ("n",))),
    (TensorSpec("y", "float32", ("n", 4)),),
    (DynamicAxis("n", 1, 8),),
    "n",
)


def probe(name: str, signature: Signature = IMAGE) -> Array:
    (found,) = [q for q in probes(signature, {}) if q.name == f"probe-{name}"]
    return found.inputs["image"]


def test_slopes_differ_under_every_permutation_and_every_flip() -> None:
    image = probe("slopes")
    assert image.shape == (2, 4, 4, 4)
    for axes in itertools.permutations(range(1, 4)):
        turned = image.transpose(0, *axes)
        assert (axes == (1, 2, 3)) == np.allclose(turned, image)
    for axis in range(4):
        assert not np.allclose(np.flip(image, axis), image)
        assert not np.allclose(np.flip(image, axis), -image)


def test_each_probe_says_what_it_catches_and_keeps_to_the_declared_range() -> None:
    ranged = Signature((TensorSpec("image", "float32", (3, 4), range=(0.0, 255.0)),), ())
    asked = probes(ranged, {})
    assert {q.name for q in asked} == {"probe-slopes", "probe-zeros", "probe-ends"}
    for question in asked:
        assert question.why
        assert question.synthetic
        assert question.optional
        image = question.inputs["image"]
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 255


def test_without_a_declared_range_probes_keep_to_that_of_the_samples() -> None:
    sample = {
        "image": np.linspace(-7, 5, 64, dtype=np.float32).reshape(1, 4, 4, 4),
        "token": np.zeros(1, np.int64),
    }
    ends = [q for q in probes(IMAGE, {"a": sample}) if q.name == "probe-ends"]
    assert set(np.unique(ends[0].inputs["image"])) == {-7.0, 5.0}


def test_small_values_lie_about_zero() -> None:
    assert 0 < np.abs(probe("small")).max() < 1e-2


def test_models_of_whole_numbers_have_no_probes() -> None:
    assert probes(Signature((TensorSpec("ids", "int64", (3,)),), ()), {}) == []


def test_an_axis_that_may_be_empty_is_tried_empty() -> None:
    spec = TensorSpec("x", "float32", ("rows", 3))
    signature = Signature((spec,), (), (DynamicAxis("rows", 0, 4),))
    assert 0 in {q.inputs["x"].shape[0] for q in questions(signature, {})}


@pytest.mark.parametrize(
    "fails", [lambda x: 1 / x, lambda x: (_ for _ in ()).throw(ValueError("no"))]
)
def test_a_probe_that_the_original_has_no_numbers_for_is_left_out_and_said(
    fails: Callable[[Array], Array],
) -> None:
    def picky(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return x * 2 if x.any() else fails(x)

    some = Question("some", "", {"x": np.ones(4, np.float32)}, True)
    zeros = Question("probe-zeros", "", {"x": np.zeros(4, np.float32)}, True, optional=True)
    known = record(Function(picky), [some, zeros])
    assert [case.name for case in known.cases] == ["some"]
    assert known.doubts == ("probe-zeros was left out: the original has no numbers for it",)
