"""A package's constants against the original's: what is found, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_targets.converters.coreml import weights
from deploy_targets.converters.coreml.constants import Constants, Fold, Piece
from deploy_targets.converters.coreml.weights import Found
from deploy_targets.errors import ConversionFailed
from deploy_targets.records import Array


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def compared(held: dict[str, Array], own: dict[str, Array], half: bool = False) -> Found:
    return weights.compare(held, Constants(own, ()), half)


WEIGHT = drawn(6, 4)


@pytest.mark.parametrize(
    "held", [WEIGHT, WEIGHT.T, WEIGHT.reshape(6, 1, 4, 1), WEIGHT.T[None]], ids=str
)
def test_a_weight_is_found_however_its_axes_lie(held: Array) -> None:
    found = compared({"const_1": held}, {"fc.weight": WEIGHT})
    assert (found.equal, found.lost) == (24, {})


def test_a_number_that_is_one_unit_off_is_refused_at_float32() -> None:
    near = WEIGHT.copy()
    near[2, 1] = np.nextafter(near[2, 1], np.float32(9))
    with pytest.raises(
        ConversionFailed, match=r"const_1 is not fc\.weight: of 24 numbers 1 differ"
    ):
        compared({"const_1": near}, {"fc.weight": WEIGHT})


def test_halved_numbers_are_right_to_half_a_unit_and_no_further() -> None:
    half = WEIGHT.astype(np.float16)
    assert compared({"w": half}, {"fc.weight": WEIGHT}, half=True).equal == 24
    with pytest.raises(ConversionFailed, match="24 differ"):
        compared({"w": half}, {"fc.weight": WEIGHT}, half=False)
    half[0, 0] = np.nextafter(half[0, 0], np.float16(9))
    with pytest.raises(ConversionFailed, match=r"is not fc\.weight"):
        compared({"w": half}, {"fc.weight": WEIGHT}, half=True)


def test_a_number_that_became_infinite_is_refused() -> None:
    large = WEIGHT.copy()
    large[0, 0] = 1e5
    with np.errstate(over="ignore"):
        half = large.astype(np.float16)
    with pytest.raises(ConversionFailed, match="by up to inf"):
        compared({"fc_weight_to_fp16": half}, {"fc.weight": large}, half=True)


def test_a_weight_under_the_name_of_another_is_refused() -> None:
    other = drawn(6, 4, seed=1)
    own = {"a.weight": WEIGHT, "b.weight": other}
    assert compared({"p_a_weight": WEIGHT, "p_b_weight": other}, own).equal == 48
    with pytest.raises(ConversionFailed, match=r"p_a_weight is not a\.weight"):
        compared({"p_a_weight": other, "p_b_weight": WEIGHT}, own)


def test_a_weight_that_is_nowhere_is_told_by_its_name() -> None:
    found = compared({"const": drawn(3)}, {"fc.weight": WEIGHT, "scale": drawn(3)})
    assert found.lost == {"fc.weight": 24}
    said = weights.notes(found, half=False)
    assert "11.11 % equal" in said[0]
    assert said[1].startswith("fc.weight (24 numbers) was not found in the package")


def test_the_same_numbers_in_another_order_are_counted_by_themselves() -> None:
    found = compared({"const": WEIGHT[::-1].copy()}, {"fc.weight": WEIGHT})
    assert (found.equal, found.reordered) == (0, 24)
    assert "100 % in another order" in weights.notes(found, half=False)[0]


def folded(certain: bool) -> Constants:
    scale = drawn(6, seed=2).astype(np.float64)
    values = WEIGHT * scale[:, None]
    of = frozenset({"conv.weight", "norm.weight"})
    piece = Piece(values, 1e-6 * np.abs(values), of, certain)
    own = {"conv.weight": WEIGHT, "norm.weight": scale.astype(np.float32)}
    return Constants(own, (Fold((piece,)),))


def test_a_fold_stands_for_what_it_is_made_of() -> None:
    constants = folded(certain=True)
    right = constants.folds[0].pieces[0].values.astype(np.float32)
    found = weights.compare({"const": right}, constants, half=False)
    assert (found.folded, found.lost) == (30, {})


def test_a_fold_with_the_channels_of_another_is_refused_where_it_is_certain() -> None:
    constants = folded(certain=True)
    scale = constants.own["norm.weight"]
    wrong = WEIGHT * np.roll(scale, 1)[:, None]
    with pytest.raises(ConversionFailed, match=r"is not conv\.weight with norm\.weight"):
        weights.compare({"const": wrong}, constants, half=False)
    found = weights.compare({"const": wrong}, folded(certain=False), half=False)
    assert found.lost == {"conv.weight": 24, "norm.weight": 6}


def test_integers_and_flags_are_compared_as_numbers() -> None:
    own = {"table": np.arange(5), "mask": np.array([True, False, True])}
    held = {"a": np.arange(5, dtype=np.int32), "b": np.array([1, 0, 1], np.int32)}
    assert compared(held, own).equal == 8
