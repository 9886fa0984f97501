"""Multiply-adds against numbers that can be worked out by hand."""

from __future__ import annotations

import pytest

from deploy_targets.converters.multiply_adds import multiply_adds


@pytest.mark.parametrize(
    ("name", "operands", "out", "swapped", "count"),
    [
        # 16 filters of 3 x 3 x 3 at each of 7 x 7 places.
        ("aten.convolution.default", [(1, 3, 9, 9), (16, 3, 3, 3)], (1, 16, 7, 7), 0, 49 * 16 * 27),
        # In groups of one, a filter sees one channel.
        ("convolution.default", [(1, 8, 10, 10), (8, 1, 3, 3)], (1, 8, 10, 10), 0, 8 * 100 * 9),
        # Transposed, each of 25 places of 4 channels goes through 6 filters of 2 x 2.
        ("convolution.default", [(1, 4, 5, 5), (4, 6, 2, 2)], (1, 6, 10, 10), 1, 25 * 4 * 24),
        ("aten.linear.default", [(2, 7, 20), (5, 20), (5,)], (2, 7, 5), 0, 2 * 7 * 20 * 5),
        ("aten.addmm.default", [(5,), (14, 20), (20, 5)], (14, 5), 0, 14 * 20 * 5),
        ("aten.mm.default", [(14, 20), (20, 5)], (14, 5), 0, 14 * 20 * 5),
        ("aten.bmm.default", [(3, 14, 20), (3, 20, 5)], (3, 14, 5), 0, 3 * 14 * 20 * 5),
        ("aten.add.Tensor", [(14, 20), (14, 20)], (14, 20), 0, 0),
    ],
)
def test_an_operator_multiplies_and_adds_as_often_as_one_counts(
    name: str, operands: list[tuple[int, ...]], out: tuple[int, ...], swapped: int, count: int
) -> None:
    assert multiply_adds(name, operands, out, bool(swapped)) == count
