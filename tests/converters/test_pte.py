"""What can be ordered of the converter to ExecuTorch, before anything is converted."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.converters import pte
from deploy_targets.errors import ConfigError
from deploy_targets.records import Dialect, DynamicAxis, Graph, Signature, TensorSpec

GRAPH = Graph(Dialect.EXPORTED, Path("graph"), "digest", "torch.export")
WORDS = Signature(
    (TensorSpec("ids", "int64", ("batch", 2, "time")),),
    (TensorSpec("starts", "float32", ("batch*time",)),),
    (DynamicAxis("batch", 1, 8), DynamicAxis("time", 8, 60)),
    "batch",
)


def test_a_fixed_axis_is_a_number_wherever_it_stood() -> None:
    made = pte.settled(pte.Order(GRAPH, WORDS, fixed={"time": 36}))
    assert made.inputs[0].shape == ("batch", 2, 36)
    assert made.outputs[0].shape == ("batch*36",)
    assert (made.axes, made.batch) == ((DynamicAxis("batch", 1, 8),), "batch")


def test_with_all_axes_fixed_there_is_no_batch() -> None:
    made = pte.settled(pte.Order(GRAPH, WORDS, fixed={"time": 36, "batch": 2}))
    assert (made.outputs[0].shape, made.axes, made.batch) == ((72,), (), None)


@pytest.mark.parametrize(
    ("fixed", "said"), [({"tme": 9}, "no dynamic axis 'tme'"), ({"time": 61}, "not within 8..60")]
)
def test_an_axis_that_cannot_be_fixed_is_named(fixed: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        pte.settled(pte.Order(GRAPH, WORDS, fixed=fixed))


def test_a_dtype_that_no_kernel_takes_is_named_before_anything_is_converted() -> None:
    wide = Signature((TensorSpec("x", "uint64", (3,)),), (TensorSpec("y", "float32", (3,)),))
    (said,) = pte.problems(wide)
    assert said.startswith("x is uint64, which ExecuTorch's kernels do not take")
    assert pte.problems(WORDS) == ()


def test_an_order_survives_the_way_to_the_child() -> None:
    order = pte.Order(GRAPH, WORDS, "portable", {"time": 36})
    assert pte.unpacked(pte.packed(order)).fixed == {"time": 36}
    assert pte.unpacked(pte.packed(order)).signature == WORDS
