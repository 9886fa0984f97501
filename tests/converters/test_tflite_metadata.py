"""What is written into a .tflite is read back as its schema says, and LiteRT answers as before."""

from __future__ import annotations

import time
import tracemalloc
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flatbuffers.table import Table

from deploy_targets.converters import tflite, tflite_metadata
from deploy_targets.converters.tflite_metadata import NAME, About, Tensor, about, write
from deploy_targets.converters.tflite_root import ALIGNMENT, Root
from deploy_targets.errors import ConversionFailed
from deploy_targets.integrations import worker
from deploy_targets.records import (
    Dialect,
    Entry,
    Graph,
    Port,
    Prepared,
    Recipe,
    Signature,
    Stage,
    Staging,
    TensorSpec,
)
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.image import ImageBefore
from deploy_targets.workspace import Workspace

WIDE = 5_000_000
ABOUT = About(
    name="sums",
    description="Adds them.",
    version="7",
    inputs=(
        Tensor("first", "the one", "rgb", (127.5,), (127.5,), (-1.0,), (1.0,)),
        Tensor("second/x", "the other"),
    ),
    outputs=(Tensor("sum", "of both", labels=("cat", "Hündin")),),
)


def make(file: str, width: int) -> None:
    """The child: sum = first + second/x + weights, whose subgraph has its inputs the other way
    round. Two signatures, b1 and b2, share the weights."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    from deploy_targets.converters import tflite_joined

    def tensor(name: str, shape: list[int], buffer: int = 0) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = name, shape, buffer, 0
        return made

    def add(inputs: list[int], output: int) -> Any:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = 0, inputs, [output]
        made.builtinOptionsType = schema.BuiltinOptions.AddOptions
        made.builtinOptions = schema.AddOptionsT()
        return made

    model, code = schema.ModelT(), schema.OperatorCodeT()
    model.version, code.version, model.operatorCodes = 3, 1, [code]
    weights = np.arange(width, dtype=np.float32).tobytes()
    model.buffers = [schema.BufferT(), tflite_joined._aligned(schema, weights)]
    model.subgraphs, model.signatureDefs = [], []
    for index, batch in enumerate((1, 2)):
        graph, signed = schema.SubGraphT(), schema.SignatureDefT()
        rows = [batch, width]
        names = ("first", "second/x", "between", "sum")
        graph.tensors = [*(tensor(name, rows) for name in names), tensor("w", [1, width], 1)]
        graph.inputs, graph.outputs = [1, 0], [3]
        graph.operators = [add([0, 1], 2), add([2, 4], 3)]
        signed.signatureKey, signed.subgraphIndex = f"b{batch}", index
        for side, several in (("inputs", (0, 1)), ("outputs", (3,))):
            maps = [schema.TensorMapT() for _ in several]
            for each, at in zip(maps, several, strict=True):
                each.name, each.tensorIndex = names[at], at
            setattr(signed, side, maps)
        model.subgraphs.append(graph)
        model.signatureDefs.append(signed)
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    Path(file).write_bytes(builder.Output())


def answer(files: list[str]) -> list[list[Any]]:
    """The child: LiteRT's own interpreter, asked by name."""
    from ai_edge_litert.interpreter import Interpreter

    given = {"first": np.float32([[1, 2, 3], [4, 5, 6]]), "second/x": np.float32([[9] * 3] * 2)}
    runners = [Interpreter(file).get_signature_runner("b2") for file in files]
    return [runner(**given)["sum"].tolist() for runner in runners]


def in_child(function: str, **arguments: object) -> Any:
    path = tflite.path("litert", Workspace())
    return worker.call(f"{__name__}:{function}", arguments, who="LiteRT", path=path)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plain") / "model.tflite"
    in_child("make", file=str(file), width=3)
    return file


@pytest.fixture
def written(plain: Path, tmp_path: Path) -> Path:
    file = tmp_path / "model.tflite"
    file.write_bytes(plain.read_bytes())
    write(file, ABOUT)
    return file


def at(table: Table, slot: int) -> Any:
    """A reader of its own: the field's offset within the table, or 0."""
    return table.Offset(4 + 2 * slot)


def text(table: Table, slot: int) -> str:
    return table.String(at(table, slot) + table.Pos).decode()


def below(table: Table, slot: int) -> Table:
    return Table(table.Bytes, table.Indirect(at(table, slot) + table.Pos))


def each(table: Table, slot: int) -> list[Table]:
    start = table.Vector(at(table, slot))
    count = table.VectorLen(at(table, slot))
    return [Table(table.Bytes, table.Indirect(start + 4 * i)) for i in range(count)]


def numbers(table: Table, slot: int) -> list[float]:
    start, count = table.Vector(at(table, slot)), table.VectorLen(at(table, slot))
    return np.frombuffer(table.Bytes, "<f4", count, start).tolist()


def said(file: Path) -> Table:
    raw = Root(file.read_bytes()).metadata()[NAME]
    assert raw[4:8] == b"M001"
    return Table(raw, int.from_bytes(raw[:4], "little"))


def test_a_reader_finds_the_model_and_the_oldest_version_that_reads_it(written: Path) -> None:
    found = said(written)
    assert [text(found, slot) for slot in (0, 1, 2, 7)] == ["sums", "Adds them.", "7", "1.0.0"]


def test_tensors_come_in_the_order_of_each_signatures_subgraph(written: Path) -> None:
    graphs = each(said(written), 3)
    assert [text(graph, 0) for graph in graphs] == ["b1", "b2"]
    for graph in graphs:
        assert [text(tensor, 0) for tensor in each(graph, 2)] == ["second/x", "first"]
        assert [text(tensor, 1) for tensor in each(graph, 3)] == ["of both"]


def test_an_image_says_its_colours_its_normalisation_and_what_comes_of_it(written: Path) -> None:
    other, image = each(each(said(written), 3)[0], 2)
    content = below(image, 3)
    assert content.Bytes[content.Pos + at(content, 0)] == 2  # ImageProperties
    properties = below(content, 1)
    assert properties.Bytes[properties.Pos + at(properties, 0)] == 1  # RGB
    (unit,) = each(image, 4)
    assert unit.Bytes[unit.Pos + at(unit, 0)] == 1  # NormalizationOptions
    assert [numbers(below(unit, 1), slot) for slot in (0, 1)] == [[127.5], [127.5]]
    assert [numbers(below(image, 5), slot) for slot in (0, 1)] == [[1.0], [-1.0]]
    assert below(other, 3).Bytes[below(other, 3).Pos + at(below(other, 3), 0)] == 1  # a feature
    assert at(other, 4) == 0


def test_labels_are_a_zip_behind_the_model(written: Path) -> None:
    (output,) = each(each(said(written), 3)[0], 3)
    (file,) = each(output, 6)
    assert file.Bytes[file.Pos + at(file, 2)] == 2  # TENSOR_AXIS_LABELS
    with zipfile.ZipFile(written) as held:
        assert held.testzip() is None
        assert held.namelist() == [text(file, 0)] == ["labels_sum.txt"]
        assert held.read("labels_sum.txt").decode() == "cat\nHündin"


def test_litert_answers_as_before_and_the_signatures_are_the_same(
    plain: Path, written: Path
) -> None:
    before, after = (Root(file.read_bytes()) for file in (plain, written))
    assert before.signatures() == after.signatures()
    answers = in_child("answer", files=[str(plain), str(written)])
    assert answers[0] == answers[1] == [[10, 12, 14], [13, 15, 17]]


def test_weights_lie_where_the_schema_asks_whatever_is_said(plain: Path, tmp_path: Path) -> None:
    weights = np.arange(3, dtype=np.float32).tobytes()
    for length in range(20):
        file = tmp_path / f"{length}.tflite"
        file.write_bytes(plain.read_bytes() + bytes(length))
        write(file, replace(ABOUT, name="n" * length))
        assert file.read_bytes().index(weights) % ALIGNMENT == 0


def test_what_is_written_again_takes_the_place_of_what_was_there(written: Path) -> None:
    write(written, replace(ABOUT, name="later", outputs=(Tensor("sum", labels=("a",)),)))
    assert text(said(written), 0) == "later"
    with zipfile.ZipFile(written) as held:
        assert held.read("labels_sum.txt") == b"a"


def test_the_same_is_written_as_the_same_bytes(plain: Path, written: Path, tmp_path: Path) -> None:
    again = tmp_path / "other" / "name.tflite"
    again.parent.mkdir()
    again.write_bytes(plain.read_bytes())
    write(again, ABOUT)
    assert again.read_bytes() == written.read_bytes()


def test_twenty_megabytes_are_not_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    in_child("make", file=str(file), width=WIDE)
    size = file.stat().st_size
    assert size > 4 * WIDE
    began = time.process_time()
    write(file, ABOUT)
    assert time.process_time() - began < 2
    tracemalloc.start()
    try:
        write(file, ABOUT)
        assert tracemalloc.get_traced_memory()[1] < 6 * size
    finally:
        tracemalloc.stop()


def test_a_file_that_is_no_tflite_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"\x08\0\0\0ONNX" + bytes(64))
    with pytest.raises(ConversionFailed, match=r"no \.tflite"):
        write(file, ABOUT)


def test_a_tensor_of_which_nothing_is_said_is_named(plain: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(plain.read_bytes())
    with pytest.raises(ConversionFailed, match="second/x"):
        write(file, replace(ABOUT, inputs=ABOUT.inputs[:1]))
    assert file.read_bytes() == plain.read_bytes()


def test_no_two_tensors_have_one_file_of_labels() -> None:
    assert len({Tensor(name).file for name in ("a/b", "a_b", "a-b", "a2f", "ä")}) == 5


IMAGE = TensorSpec("image", "float32", (1, 3, 8, 8))
SCORES = TensorSpec("scores", "float32", (1, 2), "classifier")


def prepared(table: Mapping[str, Any], more: tuple[Stage, ...] = ()) -> Prepared:
    before = ImageBefore(type="image", resize={"to": (8, 8)}, **table)
    after = ClassesAfter(activation="softmax", labels=("cat", "dog"))
    steps = (*before.stages(IMAGE, Path()), *more)
    steps += tuple(replace(s, side="after") for s in after.stages("scores", (SCORES,), Path()))
    signature = Signature((IMAGE,), (SCORES,))
    staging = Staging(steps, signature, {"image": (IMAGE,)}, {}, {}, True)
    graph = Graph(Dialect.EXPORTED, Path(), "0123456789abcdef", "torch")
    return Prepared("cats", signature, graph, Recipe("fp32"), staging=staging)


def entry(axes: tuple[int, ...] | None) -> Entry:
    shape = tuple(IMAGE.shape[axis] for axis in axes or range(4))
    image = Port(replace(IMAGE, name="args_0", shape=shape), "image", axes)
    return Entry("main", (image,), (Port(SCORES, "scores"),))


NHWC = (0, 2, 3, 1)
IMAGENET = {"scale": 1 / 255, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.5)}


def test_declared_steps_become_normalisation_in_levels_and_labels() -> None:
    found = about(prepared(IMAGENET), (entry(NHWC),))
    assert (found.name, found.version) == ("cats", "0123456789ab")
    (image,), (scores,) = found.inputs, found.outputs
    assert (image.name, image.colours) == ("args_0", "rgb")
    assert image.mean == pytest.approx((127.5, 102, 76.5))
    assert image.std == pytest.approx((51, 63.75, 127.5))
    assert image.low == pytest.approx((-2.5, -1.6, -0.6))
    assert image.high == pytest.approx((2.5, 2.4, 1.4))
    assert "'image' in the model" in image.description
    assert scores.labels == ("cat", "dog")
    assert scores.description.startswith("float32 [1, 2], classifier; to be followed by softmax")


@pytest.mark.parametrize(
    ("table", "axes", "more"),
    [
        ({"colour": "bgr"}, NHWC, ()),
        ({}, None, ()),
        ({}, NHWC, (Stage("image", "own", {}),)),
    ],
    ids=["blue first", "channels first", "a step of the user's own"],
)
def test_what_common_tools_would_fill_otherwise_is_no_image(
    table: Mapping[str, Any], axes: tuple[int, ...] | None, more: tuple[Stage, ...]
) -> None:
    (image,) = about(prepared({**IMAGENET, **table}, more), (entry(axes),)).inputs
    assert (image.colours, image.mean) == ("", ())
    assert "decode_image" in image.description


def test_without_steps_a_range_that_is_declared_is_said() -> None:
    spec = replace(IMAGE, range=(0.0, 1.0))
    plain = replace(prepared({}), staging=None, signature=Signature((spec,), (SCORES,)))
    (image,) = about(plain, (entry(NHWC),)).inputs
    assert (image.colours, image.low, image.high) == ("", (0.0,), (1.0,))
    assert tflite_metadata.about(plain, (entry(NHWC),)).outputs[0].labels == ()
