"""How sure a model is of its answers, element by element."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import frontends
from deploy_targets.parity import cases
from deploy_targets.parity.compare import rounding
from deploy_targets.parity.noise import Noise, noise
from deploy_targets.records import (
    Array,
    Capture,
    Case,
    DynamicAxis,
    Signature,
    Tensors,
    TensorSpec,
)
from deploy_targets.runtime import Rounding
from deploy_targets.testing import zoo

X = np.random.default_rng(0).normal(size=(4, 32)).astype(np.float32)


class Shaky:
    """A numpy function that rounds as it is told: `f(x, draw)`, where draw gives relative ulps."""

    name, digest, captures = "shaky", "0" * 64, ()
    captures: tuple[Capture, ...]
    roundings = (Rounding.OPERANDS,)

    def __init__(self, f: Callable[[Array, Callable[[Array], Array]], Array], batch: bool) -> None:
        self._f = f
        shape = ("n" if batch else 4, 32)
        axes = (DynamicAxis("n", 1, 4),) if batch else ()
        out = TensorSpec("y", "float32", shape)
        inputs = (TensorSpec("x", "float32", shape),)
        self.signature = Signature(inputs, (out,), axes, "n" if batch else None)

    def run(self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0) -> Tensors:
        draw = np.random.default_rng(seed)

        def ulps(x: Array) -> Array:
            return np.asarray(1 + (2.0**-23 * draw.normal(size=x.shape) if rounding else 0.0))

        return {"y": np.asarray(self._f(inputs["x"], ulps), self.signature.outputs[0].dtype)}

    def second_opinion(self, inputs: Tensors) -> None:
        return None

    def capture(self, capture: Capture, folder: object) -> None:
        raise AssertionError("not asked for here")


def found(f: Callable[[Array, Callable[[Array], Array]], Array], batch: bool = False) -> Noise:
    model = Shaky(f, batch)
    return noise(model, [Case("a", "", {"x": X}, model.run({"x": X}))])


def test_each_element_has_its_own_noise() -> None:
    scale = np.where(np.arange(32) < 16, 1.0, 1e-6)
    own = found(lambda x, ulps: (x * 1000 * ulps(x) - x * 1000 + x * 1e-3) * scale)
    spread = own.cases[0].noise["y"]
    assert spread.shape == X.shape
    assert spread.dtype == np.float32
    assert np.median(spread[:, :16]) > 1e5 * np.median(spread[:, 16:])


def test_no_element_is_surer_than_its_last_place() -> None:
    own = found(lambda x, ulps: np.round(x, 1))
    spread = own.cases[0].noise["y"]
    assert (spread >= rounding(np.round(X, 1)).astype(np.float32)).all()


def test_what_leaps_is_told_from_what_strays() -> None:
    own = found(lambda x, ulps: np.floor(1e5 * x * ulps(x)))
    assert 0.01 < own.outputs["y"].jumps < 0.5
    assert own.outputs["y"].jump == 1.0
    assert found(lambda x, ulps: 1e5 * x * ulps(x)).outputs["y"].jumps == 0.0


def test_rows_asked_alone_are_a_source_only_where_rows_are_independent() -> None:
    alone = "each row of a batch alone"
    assert alone in found(lambda x, ulps: x * ulps(x), batch=True).sources
    assert alone not in found(lambda x, ulps: x - x.mean(), batch=True).sources
    assert alone not in found(lambda x, ulps: x * ulps(x), batch=False).sources


@pytest.mark.parametrize("name", ["three_inputs", "recurrent"])
def test_pytorch_strays_a_little_when_its_operands_are_moved(name: str) -> None:
    model = frontends.load(zoo.SPECS[name])
    asked = cases.questions(model.signature, {})[:2]
    known = [Case(q.name, q.why, q.inputs, model.run(q.inputs)) for q in asked]
    assert Rounding.OPERANDS in model.roundings
    for case in known:
        for output, want in case.outputs.items():
            moved = [
                model.run(case.inputs, rounding=Rounding.OPERANDS, seed=seed)[output]
                for seed in (0, 0, 1)
            ]
            np.testing.assert_array_equal(moved[0], moved[1])
            apart = [np.abs(m - want).max() / np.abs(want).max() for m in moved]
            assert 0 < max(apart) < 1e-5, output
            assert (moved[0] != moved[2]).any()


def test_an_onnx_graph_strays_a_little_when_its_operands_are_moved(
    tmp_path: Path,
) -> None:
    path = zoo.convnet(tmp_path / "convnet.onnx")
    model = frontends.load(frontends.SourceSpec(str(path)))
    image = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    want = model.run({"image": image})["logits"]
    assert model.roundings == (Rounding.OPERANDS, Rounding.OPTIMIZED)
    for kind in model.roundings:
        got = model.run({"image": image}, rounding=kind)["logits"]
        assert np.abs(got - want).max() / np.abs(want).max() < 1e-5
    moved = model.run({"image": image}, rounding=Rounding.OPERANDS)["logits"]
    assert (moved != want).any()


def test_numbers_that_are_exact_everywhere_are_not_moved() -> None:
    import torch

    from deploy_targets.frontends.rounding import Jitter

    exact = torch.arange(64) / 4
    with Jitter(0), torch.inference_mode():
        assert torch.equal((exact * 4 / 4).floor(), exact.floor())
        assert not torch.equal(torch.full((64,), 0.1) + 0.2, torch.full((64,), 0.3))


def test_pixels_are_exact_and_make_no_step_jump() -> None:
    pixels = np.arange(128, dtype=np.float32).reshape(4, 32)
    model = Shaky(lambda x, ulps: np.floor(x / 32), batch=False)
    own = noise(model, [Case("a", "", {"x": pixels}, model.run({"x": pixels}))])
    assert own.outputs["y"].jumps == 0.0


def test_an_onnx_graph_asked_again_strays_in_the_same_way(tmp_path: Path) -> None:
    model = frontends.load(frontends.SourceSpec(str(zoo.convnet(tmp_path / "convnet.onnx"))))
    asked = cases.questions(model.signature, {})
    known = [Case(q.name, q.why, q.inputs, model.run(q.inputs)) for q in asked]
    one, other = noise(model, known), noise(model, known[::-1])
    for case in one.cases:
        again = next(c for c in other.cases if c.name == case.name)
        np.testing.assert_array_equal(case.noise["logits"], again.noise["logits"])
