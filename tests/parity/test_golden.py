"""The original's answers: noise, randomness, a second opinion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deploy_targets.errors import UnsupportedModel
from deploy_targets.parity.golden import record
from deploy_targets.parity.made import Question
from deploy_targets.records import Array, Capture, Signature, Tensors, TensorSpec
from deploy_targets.runtime import Rounding

SIGNATURE = Signature((TensorSpec("x", "float32", (4,)),), (TensorSpec("y", "float32", (4,)),))
ASKED = [Question("a", "", {"x": np.linspace(1, 2, 4, dtype=np.float32)}, True)]


class Function:
    """A model of one numpy function."""

    name, digest, signature = "function", "0" * 64, SIGNATURE
    captures: tuple[Capture, ...] = ()

    def __init__(
        self, f: Callable[[Array], Array], other: Callable[[Array], Array] | None = None
    ) -> None:
        self._f, self._other, self.roundings = f, other, (Rounding.DOUBLE,)

    def run(self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0) -> Tensors:
        x = inputs["x"]
        return {"y": self._f(x.astype(np.float64) if rounding else x)}

    def second_opinion(self, inputs: Tensors) -> Tensors | None:
        return None if self._other is None else {"y": self._other(inputs["x"])}

    def capture(self, capture: Capture, folder: object) -> None:
        raise AssertionError("not asked for here")


def test_noise_is_larger_for_a_model_that_amplifies_rounding() -> None:
    calm = record(Function(lambda x: x * 2), ASKED).noise["y"].relative_l2
    wild = record(Function(lambda x: np.sin(x * 1e6)), ASKED).noise["y"].relative_l2
    assert 0 < calm < 1e-6 < wild
    assert "float64 against float32" in record(Function(lambda x: x), ASKED).noise_sources


def test_a_model_that_answers_differently_each_time_is_refused() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(UnsupportedModel, match="differently when asked a twice") as error:
        record(Function(lambda x: x + random.normal(size=4).astype(x.dtype)), ASKED)
    assert "dropout" in error.value.hint


def test_noise_that_is_no_number_is_infinite_and_not_lost() -> None:
    def overflows(x: Array) -> Array:
        return x if x.dtype == np.float32 else np.full_like(x, np.nan)

    known = record(Function(overflows), ASKED)
    assert known.noise["y"].relative_l2 == float("inf")
    assert np.isfinite(known.cases[0].noise["y"]).all()
    assert "differs from itself by inf in y" in known.doubts[0]


def test_an_original_that_answers_nan_is_said() -> None:
    (doubt,) = record(Function(lambda x: np.full_like(x, np.nan)), ASKED).doubts
    assert "itself answers NaN or infinities in y of a" in doubt


def test_a_model_that_fails_is_told_with_the_case_that_it_failed_on() -> None:
    def fails(x: Array) -> Array:
        raise RuntimeError("no such shape\nand a long explanation")

    with pytest.raises(UnsupportedModel, match=r"case a .*x \[4\].*RuntimeError: no such shape$"):
        record(Function(fails), ASKED)


def test_a_second_implementation_that_disagrees_is_said() -> None:
    for other, said in ((lambda x: x * 2, ""), (lambda x: x * 3, "reference itself is in doubt")):
        model = Function(lambda x: x * 2, other)
        notes = record(model, ASKED).doubts
        assert (not notes) if not said else said in notes[0]
