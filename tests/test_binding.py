"""One tensor followed through the binding, there and back."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_targets.binding import NotCovered, encode, identity, in_model_terms, split
from deploy_targets.records import Case, Entry, Port, Signature, TensorSpec

IMAGE = TensorSpec("image", "float32", ("batch", 3, 4, 5))
SCORES = TensorSpec("scores", "float32", ("batch", 7))
SIGNATURE = Signature((IMAGE,), (SCORES,), batch="batch")
TO_NHWC = (0, 2, 3, 1)


def case(batch: int, name: str = "case") -> Case:
    random = np.random.default_rng(batch)
    image = random.normal(size=(batch, 3, 4, 5)).astype(np.float32)
    scores = random.normal(size=(batch, 7)).astype(np.float32)
    return Case(name, "", {"image": image}, {"scores": scores})


def nhwc(batch: int, dtype: str = "float32") -> Entry:
    image = Port(TensorSpec("args_0", dtype, (batch, 4, 5, 3)), "image", TO_NHWC)
    scores = Port(TensorSpec("output_0", "float32", (batch, 7)), "scores")
    return Entry(f"b{batch}", (image,), (scores,))


@pytest.mark.parametrize(
    ("count", "sizes", "calls"),
    [
        (5, [4, 1], [(4, [0, 1, 2, 3]), (1, [4])]),
        (3, [2], [(2, [0, 1]), (2, [2, 2])]),
        (1, [4], [(4, [0, 0, 0, 0])]),
        (0, [4], []),
    ],
)
def test_a_batch_is_split_and_the_last_call_padded(
    count: int, sizes: list[int], calls: list[tuple[int, list[int]]]
) -> None:
    assert split(count, sizes) == calls


def test_an_identical_entry_takes_the_case_as_it_is() -> None:
    (check,) = encode(SIGNATURE, [identity(SIGNATURE)], case(3), "tensors")
    np.testing.assert_array_equal(check.call.inputs["image"], case(3).inputs["image"])
    assert (check.golden, check.call.name, check.call.entry) == ("tensors", "case/0", "main")


def test_names_layout_and_batch_are_translated_and_translated_back() -> None:
    asked = case(3)
    first, second = encode(SIGNATURE, [nhwc(2)], asked)
    image = asked.inputs["image"].transpose(TO_NHWC)
    np.testing.assert_array_equal(first.call.inputs["args_0"], image[:2])
    np.testing.assert_array_equal(second.call.inputs["args_0"], image[[2, 2]])
    back = in_model_terms(second.expected, nhwc(2))
    np.testing.assert_array_equal(back["scores"], asked.outputs["scores"][[2, 2]])


def test_an_output_in_another_layout_comes_back_in_the_models() -> None:
    maps = TensorSpec("maps", "float32", (1, 4, 5, 3))
    entry = Entry("b1", (), (Port(maps, "maps", TO_NHWC),))
    original = np.random.default_rng(0).normal(size=(1, 3, 4, 5))
    back = in_model_terms({"maps": original.transpose(TO_NHWC)}, entry)
    np.testing.assert_array_equal(back["maps"], original)


def test_an_output_nobody_asked_for_stays_visible() -> None:
    back = in_model_terms({"output_0": np.zeros(1), "surprise": np.zeros(1)}, nhwc(1))
    assert set(back) == {"scores", "(extra) surprise"}


def test_a_row_of_a_flattened_batch_is_as_wide_as_a_row() -> None:
    flat = Signature(
        (TensorSpec("ids", "int64", ("batch", 2)),),
        (TensorSpec("tags", "float32", ("batch*2",)),),
        batch="batch",
    )
    entry = Entry(
        "b1",
        (Port(TensorSpec("ids", "int64", (1, 2)), "ids"),),
        (Port(TensorSpec("tags", "float32", (2,)), "tags"),),
    )
    tags = np.arange(6, dtype=np.float32)
    asked = Case("c", "", {"ids": np.arange(6).reshape(3, 2)}, {"tags": tags})
    checks = encode(flat, [entry], asked)
    assert [check.expected["tags"].tolist() for check in checks] == [[0, 1], [2, 3], [4, 5]]


def test_an_integer_beyond_the_artifacts_dtype_is_not_covered() -> None:
    ids = Signature((TensorSpec("ids", "int64", (2,)),), ())
    entry = Entry("main", (Port(TensorSpec("ids", "int32", (2,)), "ids"),), ())
    (check,) = encode(ids, [entry], Case("c", "", {"ids": np.array([1, 2])}, {}))
    assert check.call.inputs["ids"].dtype == np.int32
    with pytest.raises(NotCovered, match="beyond int32"):
        encode(ids, [entry], Case("c", "", {"ids": np.array([1, 2**40])}, {}))


def test_a_case_larger_than_one_call_is_not_covered_and_says_by_how_much() -> None:
    entry = identity(SIGNATURE)
    small = Entry(entry.name, entry.inputs, entry.outputs, max_input_bytes=100)
    with pytest.raises(NotCovered, match="240 bytes of inputs; one call of main carries 100"):
        encode(SIGNATURE, [small], case(1))


def test_a_shape_the_artifact_does_not_take_is_not_covered() -> None:
    free = Signature((TensorSpec("x", "float32", ("time",)),), ())
    entry = Entry("main", (Port(TensorSpec("x", "float32", (8,)), "x"),), ())
    with pytest.raises(NotCovered, match=r"nothing in the artifact takes x \[9\]"):
        encode(free, [entry], Case("c", "", {"x": np.zeros(9, np.float32)}, {}))


def test_a_scalar_stays_a_scalar() -> None:
    scalar = Signature((TensorSpec("x", "float32", ()),), ())
    asked = Case("c", "", {"x": np.array(1, np.float32)}, {})
    (check,) = encode(scalar, [identity(scalar)], asked)
    assert check.call.inputs["x"].shape == ()
