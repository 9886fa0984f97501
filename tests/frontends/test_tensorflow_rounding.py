"""How sure TensorFlow's models are of their answers: the same graph, rounded otherwise."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy_targets import frontends
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.frontends.tensorflow import TensorFlowModel
from deploy_targets.frontends.tensorflow_quiet import keras, tensorflow
from deploy_targets.frontends.tensorflow_rounding import _contracted
from deploy_targets.records import Tensors
from deploy_targets.runtime import Rounding

from . import tensorflow_models as models

DRAW = np.random.default_rng(0)
ROWS: Tensors = {
    "still": DRAW.normal(size=(3, 4)).astype(np.float32),
    "moving": DRAW.normal(size=(3, 5, 3)).astype(np.float32),
}


def loaded(folder: Path, model: Any) -> TensorFlowModel:
    models.save(model, folder / "model.keras")
    found = frontends.load(SourceSpec("model.keras", folder))
    assert isinstance(found, TensorFlowModel)
    return found


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> TensorFlowModel:
    return loaded(tmp_path_factory.mktemp("mixed"), models.mixed())


def test_loops_and_all_can_be_computed_in_four_other_ways(mixed: TensorFlowModel) -> None:
    assert mixed.roundings == (
        Rounding.DOUBLE,
        Rounding.OPERANDS,
        Rounding.THREADS,
        Rounding.OPTIMIZED,
    )
    want = mixed.run(ROWS)
    for rounding in mixed.roundings:
        for name, moved in mixed.run(ROWS, rounding=rounding).items():
            np.testing.assert_allclose(moved, want[name], rtol=1e-4, atol=1e-6)


def test_the_graph_run_one_operation_after_another_is_the_model(mixed: TensorFlowModel) -> None:
    still = mixed._varied._still(list(ROWS.values()))
    for one, other in zip(still, mixed.run(ROWS).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_operands_move_by_the_seed_and_by_no_more_than_rounding(mixed: TensorFlowModel) -> None:
    want = mixed.run(ROWS)
    one, same, other = (
        mixed.run(ROWS, rounding=Rounding.OPERANDS, seed=seed) for seed in (1, 1, 2)
    )
    for name in want:
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name] != other[name]).any()
        off = np.abs(one[name] - want[name]).max() / np.abs(want[name]).max()
        assert 2.0**-26 < off < 1e-5


def test_a_frozen_graph_that_answers_wrongly_gains_nothing_by_it(
    mixed: TensorFlowModel, tmp_path: Path
) -> None:
    model = models.mixed()
    model.set_weights([weight * 2 for weight in model.get_weights()])
    wrong = dataclasses.replace(mixed, frozen=loaded(tmp_path, model).frozen)
    want = mixed.run(ROWS)
    for name, moved in wrong.run(ROWS, rounding=Rounding.OPERANDS).items():
        assert np.abs(moved - want[name]).max() < 1e-5
        assert (
            np.abs(dict(zip(want, wrong._varied._last[1], strict=True))[name] - want[name]).max()
            > 0.01
        )


def test_long_sums_stray_further_than_short_ones(tmp_path: Path) -> None:
    off = []
    for size in (16, 16384):
        layers = keras().layers
        ones = layers.Dense(64, use_bias=False, kernel_initializer="glorot_uniform", name="sum")
        model = loaded(tmp_path, keras().Sequential([keras().Input((size,), name="x"), ones]))
        rows = {"x": DRAW.normal(size=(8, size)).astype(np.float32)}
        want = model.run(rows)["sum"]
        moved = model.run(rows, rounding=Rounding.OPERANDS)["sum"]
        off.append(np.linalg.norm(moved - want) / np.linalg.norm(want))
    assert off[1] > 8 * off[0]


def test_what_gives_no_floating_number_has_no_other_roundings(tmp_path: Path) -> None:
    tf = tensorflow()
    rows = tf.TensorSpec([None, 4], tf.float32)
    models.module(
        tmp_path / "best", serving_default=(lambda f, x: {"best": tf.argmax(f * x, axis=1)}, rows)
    )
    model = frontends.load(SourceSpec("best", tmp_path))
    assert model.signature.outputs[0].dtype == "int64"
    assert model.roundings == ()


@pytest.mark.parametrize(
    ("equation", "shapes", "terms"),
    [
        ("ab,bc->ac", [[2, 5], [5, 3]], 5),
        ("bij,bjk->bik", [[7, 2, 5], [7, 5, 3]], 5),
        ("...ab,b->...a", [[9, 2, 5], [5]], 5),
        ("abc,abc->", [[2, 3, 4], [2, 3, 4]], 24),
    ],
)
def test_the_terms_of_an_einsum_are_counted(
    equation: str, shapes: list[list[int]], terms: int
) -> None:
    assert _contracted(equation, shapes) == terms
