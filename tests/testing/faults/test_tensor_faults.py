"""Every fault of inputs, answers and files, on tensors and bytes of every kind."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from deploy_targets.errors import ConfigError
from deploy_targets.records import Tensors
from deploy_targets.testing.faults import FAULTS, Fault, Place, in_answers
from tests.testing.faults.distance import distance

OF_TENSORS = [f for f in FAULTS.values() if f.place in (Place.INPUTS, Place.ANSWERS)]
OF_FILES = [fault for fault in FAULTS.values() if fault.place is Place.FILE]


def drawn(seed: int) -> dict[str, np.ndarray]:
    """Six rows of an image, a sequence, tokens, a mask, two equals and a square."""
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return {
        "image": normal(6, 3, 8, 8),
        "late": normal(6, 8, 8, 3),
        "frames": normal(6, 20, 4),
        "tokens": random.integers(1, 2**26, (6, 5)),
        "mask": random.random((6, 5)) < 0.5,
        "left": normal(6, 10),
        "right": normal(6, 10),
        "square": normal(6, 6),
    }


CALLS: list[Tensors] = [drawn(seed) for seed in range(3)]
BYTES = b"".join(f"line {n} of many \xe4\xf6\xfc\n".encode() for n in range(500))

every_fault = pytest.mark.parametrize("fault", OF_TENSORS, ids=lambda fault: fault.name)
every_file_fault = pytest.mark.parametrize("fault", OF_FILES, ids=lambda fault: fault.name)


def changed(fault: Fault, calls: list[Tensors], strength: float, seed: int = 0) -> Tensors | None:
    """What becomes of the last call."""
    thing = calls if fault.across_calls else calls[-1]
    wrong: Tensors | None = fault.change(thing, strength, seed)
    return wrong


@every_fault
def test_a_weaker_fault_of_tensors_changes_less(fault: Fault) -> None:
    wrong = [changed(fault, CALLS, strength) for strength in fault.strengths]
    far = [distance(CALLS[-1], each) for each in wrong if each is not None]
    assert len(far) == len(fault.strengths)
    assert far[-1] > 0
    # Where rows change places, those that meet may be more or less alike.
    assert far[-1] <= far[0]
    assert all(weaker <= 1.5 * stronger for stronger, weaker in pairwise(far))


@every_fault
def test_a_fault_of_tensors_is_pure_and_follows_its_seed(fault: Fault) -> None:
    before = [{name: array.copy() for name, array in call.items()} for call in CALLS]
    one, two = (changed(fault, CALLS, fault.strengths[-1], 7) for _ in range(2))
    assert one is not None
    assert two is not None
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    for call, copy in zip(CALLS, before, strict=True):
        for name in call:
            np.testing.assert_array_equal(call[name], copy[name])


@every_fault
def test_a_fault_keeps_names_dtypes_and_shapes_unless_that_is_the_fault(fault: Fault) -> None:
    if fault.name in ("output_missing", "dtype_changed"):
        return
    wrong = changed(fault, CALLS, fault.strengths[0])
    assert wrong is not None
    for name, array in CALLS[-1].items():
        assert (wrong[name].dtype, wrong[name].shape) == (array.dtype, array.shape)


@every_fault
def test_where_there_is_nothing_to_change_a_fault_has_no_place(fault: Fault) -> None:
    empty: list[Tensors] = [{}, {}]
    assert changed(fault, empty, fault.strengths[0]) is None


@pytest.mark.parametrize("name", ["batch_reversed", "batch_baked_in", "rows_of_another_request"])
def test_a_batch_of_one_has_no_order(name: str) -> None:
    alone = [{tensor: array[:1] for tensor, array in call.items()} for call in CALLS]
    assert changed(FAULTS[name], alone, FAULTS[name].strengths[0]) is None


def test_blue_comes_first() -> None:
    wrong = changed(FAULTS["bgr_for_rgb"], CALLS, 1)
    assert wrong is not None
    np.testing.assert_array_equal(wrong["image"], CALLS[-1]["image"][:, ::-1])
    np.testing.assert_array_equal(wrong["late"], CALLS[-1]["late"][..., ::-1])


def test_memory_in_another_layout_keeps_its_numbers() -> None:
    wrong = changed(FAULTS["nhwc_for_nchw"], CALLS, 1)
    assert wrong is not None
    first, honest = wrong["image"][0], CALLS[-1]["image"][0]
    np.testing.assert_array_equal(first.ravel(), honest.transpose(1, 2, 0).ravel())


def test_bfloat16_keeps_seven_bits() -> None:
    given: list[Tensors] = [{"y": np.float32([1 + 2**-7, 1 + 2**-9, 3.3e38])}]
    wrong = changed(FAULTS["dtype_narrowed"], given, 7)
    assert wrong is not None
    assert wrong["y"][:2].tolist() == [1 + 2**-7, 1]


def test_stale_answers_are_those_of_the_call_before() -> None:
    fault = FAULTS["answer_of_the_call_before"]
    wrong = in_answers(fault, CALLS, 1)
    assert wrong[0] is None
    assert wrong[1] is not None
    np.testing.assert_array_equal(wrong[1]["left"], CALLS[0]["left"])


def test_a_race_hits_other_elements_in_each_call() -> None:
    same: list[Tensors] = [CALLS[0], CALLS[0]]
    first, second = in_answers(FAULTS["threads_race"], same, 0.1)
    assert first is not None
    assert second is not None
    assert not np.array_equal(first["left"], second["left"])


def test_a_fault_of_another_place_is_refused() -> None:
    with pytest.raises(ConfigError, match="bgr_for_rgb acts on the inputs"):
        in_answers(FAULTS["bgr_for_rgb"], CALLS, 1)


@every_file_fault
def test_a_file_with_a_fault_holds_other_bytes_and_always_the_same(fault: Fault) -> None:
    wrong = [fault.change(BYTES, strength, 3) for strength in fault.strengths]
    assert None not in wrong
    assert BYTES not in wrong
    assert wrong == [fault.change(BYTES, strength, 3) for strength in fault.strengths]


def test_text_without_line_ends_survives_being_carried_as_text() -> None:
    assert FAULTS["line_ends_translated"].change(b"one line", 1, 0) is None
    assert FAULTS["carried_as_ascii"].change(b"plain\n", 1, 0) is None
