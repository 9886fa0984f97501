"""Which converter, which sizes, which layout: decided before any tool starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets.errors import ConfigError, ConversionFailed
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    Dialect,
    DynamicAxis,
    Graph,
    Prepared,
    Signature,
    Staging,
    TensorSpec,
)
from deploy_targets.targets.tflite import conversion
from deploy_targets.targets.tflite.target import CONVERTERS, Tflite
from deploy_targets.workspace import Workspace

BATCH, TIME = DynamicAxis("batch", 2, 8), DynamicAxis("time", 4, 64)
SOUND = Signature(
    (TensorSpec("sound", "float32", ("batch", "time", 3)),),
    (TensorSpec("y", "float32", ("batch", 2)),),
    (BATCH, TIME),
    "batch",
)


def prepared(
    signature: Signature, dialect: Dialect = Dialect.EXPORTED, folder: Path = Path("nowhere")
) -> Prepared:
    return Prepared("m", signature, Graph(dialect, folder, "", "how"), RECIPES["fp32"])


def image(*shape: int | str, dtype: str = "float32") -> Signature:
    return Signature((TensorSpec("image", dtype, shape),), (TensorSpec("y", "float32", (2,)),))


def test_an_axis_without_a_size_is_named_with_what_to_type() -> None:
    said = conversion.problems(Tflite(batch_sizes=(2,)), prepared(SOUND))
    assert said == (
        "a .tflite has fixed sizes, and none is said for time; set the option "
        "sizes = { time = 4 }, or another up to 64",
    )
    assert conversion.problems(Tflite(batch_sizes=(2,), sizes={"time": 9}), prepared(SOUND)) == ()


def test_a_size_of_the_batch_that_the_model_does_not_take_is_refused() -> None:
    target = Tflite(batch_sizes=(1, 8, 9), sizes={"time": 9})
    said = conversion.problems(target, prepared(SOUND))
    assert [one.partition(";")[0] for one in said] == [
        "batch = 1 is not within 2..8",
        "batch = 9 is not within 2..8",
    ]


def test_sizes_of_no_axis_or_out_of_its_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="no axis 'tim'"):
        conversion.problems(Tflite(sizes={"tim": 9}), prepared(SOUND))
    with pytest.raises(ConfigError, match=r"time = 3 is not within 4\.\.64"):
        conversion.problems(Tflite(sizes={"time": 3}), prepared(SOUND))


def test_every_problem_is_listed_at_once() -> None:
    outputs = (TensorSpec("y", "bfloat16", ("batch", 2)), TensorSpec("mean", "float32", (2,)))
    said = conversion.problems(Tflite(), prepared(replace(SOUND, outputs=outputs)))
    wanted = ("bfloat16", "none is said for time", "batch = 1", "mean has no axis batch")
    assert all(words in one for words, one in zip(wanted, said, strict=True))


def test_a_graph_larger_than_a_flatbuffer_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "model.pt2").open("wb") as file:
        file.truncate(conversion.LARGEST + 1)
    signature = image(1, 3, 8, 8)
    (said,) = conversion.problems(Tflite(), prepared(signature, folder=tmp_path))
    assert said.startswith("it has 2,147,483,648 bytes")
    half = replace(prepared(signature, folder=tmp_path), recipe=RECIPES["fp16"])
    assert conversion.problems(Tflite(), half) == ()


@pytest.mark.parametrize(
    ("shape", "dialect", "layout", "turned"),
    [
        ((1, 3, 8, 8), Dialect.EXPORTED, "auto", conversion.NHWC),
        ((1, 1, "h", "w"), Dialect.ONNX, "nhwc", conversion.NHWC),
        ((1, 3, 8, 8), Dialect.EXPORTED, "nchw", None),
        ((1, 8, 8, 3), Dialect.SAVED_MODEL, "auto", None),
        ((1, 8, 8, 3), Dialect.SAVED_MODEL, "nchw", conversion.NCHW),
        ((1, 12, 8, 8), Dialect.EXPORTED, "auto", None),
        ((1, 3, 8), Dialect.EXPORTED, "auto", None),
    ],
)
def test_images_lie_with_their_channels_last_unless_told_otherwise(
    shape: tuple[int | str, ...],
    dialect: Dialect,
    layout: str,
    turned: tuple[int, ...] | None,
) -> None:
    target = Tflite.model_validate({"layout": layout})
    found = conversion.layouts(target, prepared(image(*shape), dialect))
    assert found == ({} if turned is None else {"image": turned})


def test_integers_are_no_image() -> None:
    assert conversion.layouts(Tflite(), prepared(image(1, 3, 8, 8, dtype="int64"))) == {}


def test_an_input_declared_as_an_image_is_one_whatever_its_channels() -> None:
    signature = image(1, 12, 8, 8)
    media = {"image": ("image/png",)}
    staging = Staging((), signature, {}, media, {}, single=True)
    found = conversion.layouts(Tflite(), replace(prepared(signature), staging=staging))
    assert found == {"image": conversion.NHWC}


def test_a_layout_for_a_model_without_images_is_refused() -> None:
    with pytest.raises(ConfigError, match="no image among its inputs"):
        conversion.problems(Tflite(layout="nchw", sizes={"time": 9}), prepared(SOUND))


@pytest.mark.parametrize("dialect", CONVERTERS)
def test_the_best_converter_of_a_dialect_is_first_and_each_has_a_module(dialect: Dialect) -> None:
    assert conversion.chosen(Tflite(), dialect) == CONVERTERS[dialect][0]
    assert set(CONVERTERS[dialect]) <= set(conversion.MODULES)


def test_fp16_orders_halved_weights() -> None:
    half = replace(prepared(image(1, 3, 8, 8)), recipe=RECIPES["fp16"])
    assert conversion.ordered(Tflite(), half).half
    assert not conversion.ordered(Tflite(), prepared(image(1, 3, 8, 8))).half


def test_a_conversion_has_the_time_that_the_user_gives_it(tmp_path: Path) -> None:
    short = replace(prepared(image(1, 3, 8, 8), folder=tmp_path), timeout=0.2)
    with pytest.raises(ConversionFailed, match=r"took longer than 0\.2 s"):
        conversion.converted(Tflite(), short, Workspace())
