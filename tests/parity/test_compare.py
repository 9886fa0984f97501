"""What is measured: whole outputs, their slices, their elements."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from deploy_targets.parity import compare, judge, tasks
from deploy_targets.parity.compare import Jumps, cosine, measure, relative_l2

DRAW = np.random.default_rng(0)
WANT = DRAW.normal(size=(4, 16, 10)).astype(np.float32)
NOISE = np.full(WANT.shape, 1e-6, np.float32)


def test_nothing_is_measured_between_equal_answers() -> None:
    found = measure(WANT, WANT.copy(), NOISE)
    assert (found.max_abs, found.relative_l2, found.whole, found.part, found.element) == (0,) * 5
    assert found.cosine == pytest.approx(1.0)
    assert sum(found.histogram) == found.size == WANT.size


def test_noise_of_the_right_size_measures_about_one() -> None:
    found = measure(WANT, WANT + DRAW.normal(size=WANT.shape) * 1e-6, NOISE)
    assert 0.9 < found.whole < 1.1
    assert found.whole < found.part < 2
    assert 2 < found.element < 6


def test_a_wrong_row_of_small_values_shows_though_the_whole_hides_it() -> None:
    want, noise = WANT.astype(np.float64), np.abs(WANT) * 1e-7
    want[2] *= 1e-6
    noise[2] *= 1e-6
    got = want.copy()
    got[2] *= -1
    found = measure(want, got, noise)
    assert found.relative_l2 < 2e-6
    assert (found.part > 1e5, found.part_at) == (True, "axis 0, index 2")


def test_a_wrong_column_shows_with_its_place() -> None:
    got = WANT.copy()
    got[:, :, 7] += 1e-4
    found = measure(WANT, got, NOISE)
    assert found.part == pytest.approx(100, rel=0.05)
    assert found.part_at == "axis 2, index 7"


def test_one_wrong_element_shows_with_its_place_and_both_values() -> None:
    got = WANT.copy()
    got[1, 2, 3] += 1e-3
    found = measure(WANT, got, NOISE)
    assert found.element == pytest.approx(1000, rel=0.01)
    assert found.element_at == (1, 2, 3)
    assert (found.expected, found.answered) == (WANT[1, 2, 3], got[1, 2, 3])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_within_nothing(value: float) -> None:
    got = WANT.copy()
    got[0, 0, 0] = value
    found = measure(WANT, got, NOISE)
    for figure in (found.relative_l2, found.whole, found.part, found.element):
        assert not figure <= 1e30
    assert found.element_at == (0, 0, 0)


def test_equal_infinities_and_nan_do_not_count_against_an_artifact() -> None:
    want = np.array([[np.nan, 1.0, np.inf], [-np.inf, 2.0, 3.0]], np.float32)
    found = measure(want, want.copy())
    assert (found.relative_l2, found.whole, found.element) == (0.0, 0.0, 0.0)
    moved = want.copy()
    moved[0, 1] = np.nan
    assert not measure(want, moved).whole <= 1e30


def test_without_noise_only_rounding_of_the_answer_is_excused() -> None:
    assert measure(WANT, np.nextafter(WANT, np.float32(9))).element <= 1.0
    assert measure(WANT, WANT * np.float32(1 + 1e-5)).element > 50


def test_what_is_granted_counts_as_noise_row_by_row() -> None:
    want = WANT * np.array([1, 1, 1, 1e-3], np.float32)[:, None, None]
    off = (want * 1.01).astype(np.float32)
    assert measure(want, off, NOISE, granted=0.01, batch=0).whole < 1.5
    small = want.copy()
    small[3] *= 2
    assert measure(want, small, NOISE, granted=0.01, batch=0).part > 50


def test_as_many_elements_as_may_jump_are_left_out_and_no_more() -> None:
    got = WANT.copy()
    got[0, 0, :3] += 0.5
    jumps = Jumps(count=3, beyond=24.0, far=0.6)
    assert (measure(WANT, got, NOISE, jumps=jumps).jumped, judged_whole(got, jumps)) == (3, 0.0)
    assert judged_whole(got, Jumps(count=2, beyond=24.0, far=0.6)) > 1000
    assert judged_whole(got, Jumps(count=3, beyond=24.0, far=0.4)) > 1000


def judged_whole(got: np.ndarray, jumps: Jumps) -> float:  # type: ignore[type-arg]
    return measure(WANT, got, NOISE, jumps=jumps).whole


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_whole_numbers_are_compared_exactly(dtype: str) -> None:
    want = (np.arange(12).reshape(3, 4) % 2).astype(dtype)
    got = want.copy()
    got[1, 2] = 1 - got[1, 2]
    found = measure(want, got)
    assert (found.jumped, found.size, found.element_at) == (1, 12, (1, 2))
    assert measure(want, want.copy()).jumped == 0


def test_strings_are_compared_exactly() -> None:
    want = np.array(["cat", "dog"])
    assert measure(want, want.copy()).jumped == 0
    assert measure(want, np.array(["cat", "cow"])).jumped == 1


def test_an_empty_output_is_equal_to_itself() -> None:
    empty = np.zeros((0, 3), np.float32)
    found = measure(empty, empty.copy(), empty)
    assert (found.whole, found.part, found.element, found.size) == (0.0, 0.0, 0.0, 0)


def test_nan_where_the_reference_has_nan_is_no_difference() -> None:
    want = np.array([np.nan, np.inf, 2.0])
    assert relative_l2(want, want.copy()) == 0.0
    assert not relative_l2(want, np.array([0.0, np.inf, 2.0])) <= 1.0
    assert not relative_l2(want, np.array([np.nan, -np.inf, 2.0])) <= 1.0


def test_a_reference_of_zeros_allows_zeros_alone() -> None:
    zeros = np.zeros(3)
    assert (relative_l2(zeros, zeros), cosine(zeros, zeros)) == (0.0, 1.0)
    assert relative_l2(zeros, np.full(3, 1e-9)) > 1.0
    assert measure(zeros, np.full(3, 1e-9)).element > 1e20


@pytest.mark.parametrize("scale", [1e-300, 1e-37, 1.0, 1e200])
def test_size_does_not_hide_a_difference_nor_make_one(scale: float) -> None:
    want = np.array([1.0, 2.0, 3.0]) * scale
    assert (relative_l2(want, want.copy()), cosine(want, want.copy())) == (0.0, pytest.approx(1.0))
    assert relative_l2(want, want * 9) == pytest.approx(8.0)


@pytest.mark.parametrize("module", [compare, judge, tasks])
def test_what_travels_into_bundles_needs_numpy_alone_and_an_old_python(module: object) -> None:
    text = Path(str(module.__file__)).read_text()  # type: ignore[attr-defined]
    tree = ast.parse(text, feature_version=(3, 8))
    named = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    named |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    roots = {str(name).split(".")[0] for name in named}
    assert roots <= {"numpy", *sys.stdlib_module_names}
