"""What is ordered of the converter, and what is said of the package: before and after any tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import registry
from deploy_targets.converters import coreml
from deploy_targets.converters.coreml import Converted, Order
from deploy_targets.errors import ConfigError
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    Dialect,
    DynamicAxis,
    Entry,
    Graph,
    Prepared,
    Signature,
    TensorSpec,
)
from deploy_targets.targets.coreml import conversion
from deploy_targets.targets.coreml.target import Coreml

BATCH, TIME = DynamicAxis("batch", 2, 8), DynamicAxis("time", 4, 64)
SOUND = Signature(
    (TensorSpec("sound", "float32", ("batch", "time", 3)),),
    (TensorSpec("label", "int64", ("batch",)),),
    (BATCH, TIME),
    "batch",
)


def prepared(
    signature: Signature = SOUND, recipe: str = "fp32", folder: Path = Path("nowhere")
) -> Prepared:
    graph = Graph(Dialect.EXPORTED, folder, "", "torch.export")
    return Prepared("m", signature, graph, RECIPES[recipe])


def target(**options: object) -> Coreml:
    made = registry.load("coreml", options)
    assert isinstance(made, Coreml)
    return made


def said(made_for: Coreml, recipe: str = "fp32") -> list[str]:
    order = conversion.ordered(made_for, prepared(recipe=recipe))
    made = Converted((Entry(coreml.ENTRY, *coreml.ports(order)),), {}, ("of the converter",))
    return list(conversion.notes(made_for, order, made))


def test_an_exported_program_is_taken_first_and_a_trace_next() -> None:
    assert target().dialects == (Dialect.EXPORTED, Dialect.TORCHSCRIPT)


def test_dynamic_axes_need_no_option_and_float32_is_ordered() -> None:
    assert conversion.problems(target(), prepared()) == ()
    order = conversion.ordered(target(), prepared())
    assert (order.half, order.fixed, order.layouts, order.minimum) == (False, {}, {}, "iOS16")


def test_what_a_package_cannot_hold_is_named() -> None:
    odd = replace(SOUND, outputs=(TensorSpec("y", "uint32", ("batch", 2)),))
    (problem,) = conversion.problems(target(), prepared(odd))
    assert problem.startswith("y is uint32, which ")


@pytest.mark.parametrize(
    ("sizes", "why"),
    [({"tim": 9}, "no dynamic axis 'tim'"), ({"time": 3}, r"time = 3 is not within 4\.\.64")],
)
def test_sizes_of_no_axis_or_out_of_its_range_are_refused(sizes: dict[str, int], why: str) -> None:
    with pytest.raises(ConfigError, match=f"sizes: .*{why}"):
        conversion.problems(target(sizes=sizes), prepared())


def test_a_fixed_batch_needs_answers_that_can_be_joined() -> None:
    mean = replace(SOUND, outputs=(*SOUND.outputs, TensorSpec("mean", "float32", (2,))))
    assert conversion.problems(target(sizes={"time": 9}), prepared(mean)) == ()
    (problem,) = conversion.problems(target(sizes={"batch": 2}), prepared(mean))
    assert problem.endswith("leave batch out of the option sizes")


def test_the_notes_say_what_is_not_as_in_the_model() -> None:
    plain = said(target())
    assert plain == [
        conversion.READ_BACK,
        "of the converter",
        "label is int64 in the model and int32 in the package",
    ]
    other = said(target(sizes={"time": 9}, golden="none"), "fp16")
    assert other[len(plain) :] == [
        "fixed by the option sizes: time = 9",
        "it computes in float16; what goes in and comes out is float32",
        conversion.UNASKED,
    ]


@pytest.mark.parametrize(
    "other", [{"half": True}, {"fixed": {"time": 9}}, {"minimum": "iOS18"}], ids=str
)
def test_a_conversion_is_kept_under_the_graph_and_the_order(
    other: Mapping[str, object], tmp_path: Path
) -> None:
    (tmp_path / "model.pt2").write_bytes(b"one")
    first = Order(prepared(folder=tmp_path).graph, SOUND)
    one = conversion.key(first)
    assert conversion.key(first) == one
    assert conversion.key(replace(first, **other)) != one  # type: ignore[arg-type]
    (tmp_path / "model.pt2").write_bytes(b"two")
    assert conversion.key(first) != one
