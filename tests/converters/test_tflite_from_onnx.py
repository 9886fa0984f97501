"""Both ways from ONNX to a .tflite, on models that set traps; LiteRT itself is asked.

onnx2tf runs in its own environment, as it will; our mapping converts all models in one child, for
importing TensorFlow costs more than they do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from deploy_targets.converters import tflite, tflite_from_onnx, tflite_from_onnx_mapped
from deploy_targets.converters.tflite import Converted, Fixed, Named, Order
from deploy_targets.errors import ConversionFailed, DeployError, ToolMissing
from deploy_targets.integrations import worker
from deploy_targets.records import Dialect, DynamicAxis, Graph, Signature, TensorSpec
from deploy_targets.workspace import Workspace

DRAW = np.random.default_rng(0)
NHWC = (0, 2, 3, 1)
FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
DTYPES = {FLOAT: "float32", INT: "int64", BOOL: "bool"}
ENTRIES = (Fixed("b1", {"batch": 1}), Fixed("b3", {"batch": 3}))
Values = Mapping[str, tuple[int, list[Any]]]


def normal(*shape: int) -> np.ndarray:
    return DRAW.normal(size=shape).astype(np.float32)


def model(nodes: list[Any], inputs: Values, outputs: Values, **held: np.ndarray) -> Any:
    domains = {node.domain for node in nodes}
    graph = helper.make_graph(
        nodes,
        "traps",
        [helper.make_tensor_value_info(name, *value) for name, value in inputs.items()],
        [helper.make_tensor_value_info(name, *value) for name, value in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    opsets = [helper.make_opsetid(domain, 18 if not domain else 1) for domain in domains | {""}]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def node(operator: str, inputs: str, outputs: str, **more: Any) -> Any:
    return helper.make_node(operator, inputs.split(), outputs.split(), **more)


def cnn() -> Any:
    """An output that is used within, too; the name of one is no name in Python."""
    nodes = [
        node("Conv", "x w b", "y", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Relu", "y", "features/out"),
        node("GlobalAveragePool", "features/out", "p"),
        node("Flatten", "p", "flat"),
        node("Gemm", "flat g c", "logits"),
    ]
    return model(
        nodes,
        {"x": (FLOAT, ["batch", 3, 8, 8])},
        {"logits": (FLOAT, ["batch", 2]), "features/out": (FLOAT, ["batch", 4, 4, 4])},
        w=normal(4, 3, 3, 3),
        b=normal(4),
        g=normal(4, 2),
        c=normal(2),
    )


def mlp() -> Any:
    nodes = [node("Gemm", "x u", "h"), node("Relu", "h", "r"), node("MatMul", "r d", "y")]
    held = {"u": normal(4, 9000), "d": normal(9000, 4)}
    return model(nodes, {"x": (FLOAT, ["batch", 4])}, {"y": (FLOAT, ["batch", 4])}, **held)


def three() -> Any:
    """Three inputs of three datatypes, given in no order of the alphabet."""
    nodes = [
        node("Gather", "table ids", "rows"),
        node("Sub", "zeta rows", "less"),
        node("Where", "mask less zeta", "chosen"),
        node("Add", "ids one", "next"),
    ]
    return model(
        nodes,
        {"zeta": (FLOAT, ["batch", 4]), "ids": (INT, ["batch"]), "mask": (BOOL, ["batch", 4])},
        {"next": (INT, ["batch"]), "chosen": (FLOAT, ["batch", 4])},
        table=normal(10, 4),
        one=np.array(1, np.int64),
    )


def lstm() -> Any:
    nodes = [node("LSTM", "x w r", "y", hidden_size=5, name="the recurrent one")]
    held = {"w": normal(1, 20, 3), "r": normal(1, 20, 5)}
    shape = [7, 1, "batch", 5]
    return model(nodes, {"x": (FLOAT, [7, "batch", 3])}, {"y": (FLOAT, shape)}, **held)


def strange() -> Any:
    nodes = [node("Relu", "x", "h"), node("Frobnicate", "h", "y", domain="own", name="the one")]
    return model(nodes, {"x": (FLOAT, ["batch", 4])}, {"y": (FLOAT, ["batch", 4])})


def arc() -> Any:
    """The mapping has it, TensorFlow has it, and TensorFlow Lite has not."""
    nodes = [node("Acos", "x", "y", name="an arc")]
    return model(nodes, {"x": (FLOAT, ["batch", 4])}, {"y": (FLOAT, ["batch", 4])})


MODELS = {f.__name__: f() for f in (cnn, mlp, three, lstm, strange, arc)}
LAYOUTS = {"cnn": {"x": NHWC}}


def signature(proto: Any) -> Signature:
    def spec(value: Any) -> TensorSpec:
        kind = value.type.tensor_type
        dims = tuple(dim.dim_param or dim.dim_value for dim in kind.shape.dim)
        return TensorSpec(value.name, DTYPES[kind.elem_type], dims)

    sides = (tuple(map(spec, proto.graph.input)), tuple(map(spec, proto.graph.output)))
    return Signature(*sides, (DynamicAxis("batch", 1, 16),), "batch")


def ordered(name: str, folder: Path) -> Order:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(MODELS[name], folder / "model.onnx")
    graph = Graph(Dialect.ONNX, folder.absolute(), name, "as it is")
    return Order(graph, signature(MODELS[name]), ENTRIES, LAYOUTS.get(name, {}))


def map_many(orders: dict[str, Any], folder: str) -> dict[str, str]:
    """The child that has TensorFlow. Answers "" or what was wrong."""
    said = {}
    for name, order in orders.items():
        try:
            tflite_from_onnx_mapped.export(order, f"{folder}/{name}")
            said[name] = ""
        except DeployError as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


def ask(questions: list[list[str]]) -> None:
    """The child that has LiteRT: of file, entry and question.npz it makes answer.npz."""
    from ai_edge_litert.interpreter import Interpreter

    for file, entry, question in questions:
        with np.load(question) as inputs:
            answers = Interpreter(file).get_signature_runner(entry)(**inputs)
        np.savez(f"{question}.answer", **answers)


def in_child(function: str, **arguments: object) -> Any:
    path = tflite.path("litert", Workspace())
    return worker.call(f"{__name__}:{function}", arguments, who="the child", path=path)


Made = dict[str, tuple[Path, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Made]:
    """Converter -> model -> its folder, and "" or what was wrong."""
    home, made = tmp_path_factory.mktemp("models"), dict[str, Made]()
    mapped, by_onnx2tf = home / "mapped", home / "onnx2tf"
    orders = {name: ordered(name, mapped / name) for name in MODELS}
    packed = {name: tflite.packed(order) for name, order in orders.items()}
    said = in_child("map_many", orders=packed, folder=str(mapped))
    made["mapped"] = {name: (mapped / name, why) for name, why in said.items()}
    made["onnx2tf"] = {}
    for name in ("cnn", "three", "lstm", "strange"):
        folder = by_onnx2tf / name
        try:
            tflite_from_onnx.convert(ordered(name, folder), folder, Workspace())
            made["onnx2tf"][name] = folder, ""
        except DeployError as error:
            made["onnx2tf"][name] = folder, f"{type(error).__name__}: {error}"
    return made


def converted(made: Mapping[str, Made], how: str, name: str) -> tuple[Path, Converted]:
    folder, why = made[how][name]
    assert why == ""
    return folder, tflite.read(folder)


def given(name: str) -> dict[str, np.ndarray]:
    draws = {
        "float32": lambda shape: normal(*shape),
        "int64": lambda shape: DRAW.integers(0, 10, shape),
        "bool": lambda shape: DRAW.integers(0, 2, shape).astype(bool),
    }
    specs = signature(MODELS[name]).inputs
    shapes = {s.name: [3 if dim == "batch" else dim for dim in s.shape] for s in specs}
    return {spec.name: draws[spec.dtype](shapes[spec.name]) for spec in specs}


CARRIED = [("onnx2tf", name) for name in ("cnn", "three", "lstm")]
CARRIED += [("mapped", name) for name in ("cnn", "mlp", "three")]


@pytest.mark.parametrize(("how", "name"), CARRIED)
def test_the_file_answers_as_the_model_under_the_models_own_names(
    made: Mapping[str, Made], how: str, name: str, tmp_path: Path
) -> None:
    folder, found = converted(made, how, name)
    entry, inputs = found.entries[1], given(name)
    assert (entry.name, {port.of for port in entry.inputs}) == ("b3", set(inputs))
    assert all(port.spec.name == port.of for port in (*entry.inputs, *entry.outputs))
    lying = {
        port.of: inputs[port.of]
        .transpose(port.axes or range(inputs[port.of].ndim))
        .astype(port.spec.dtype)
        for port in entry.inputs
    }
    np.savez(tmp_path / "asked.npz", **lying)
    asked = [str(folder / tflite.FILE), "b3", str(tmp_path / "asked.npz")]
    in_child("ask", questions=[asked])
    wanted = ReferenceEvaluator(MODELS[name]).run(None, inputs)
    with np.load(tmp_path / "asked.npz.answer.npz") as answers:
        for port, want in zip(entry.outputs, wanted, strict=True):
            np.testing.assert_allclose(answers[port.of], want, rtol=1e-4, atol=1e-4)
            assert answers[port.of].dtype == port.spec.dtype


@pytest.mark.parametrize("how", ["onnx2tf", "mapped"])
def test_an_image_lies_as_ordered_and_what_comes_out_as_it_was(
    made: Mapping[str, Made], how: str
) -> None:
    _, found = converted(made, how, "cnn")
    (image,), (logits, features) = found.entries[0].inputs, found.entries[0].outputs
    assert (image.spec.shape, image.axes) == ((1, 8, 8, 3), NHWC)
    assert (features.spec.shape, features.axes) == ((1, 4, 4, 4), None)
    assert logits.spec.shape == (1, 2)


def test_whole_numbers_are_what_the_file_has_and_the_ports_say_so(
    made: Mapping[str, Made],
) -> None:
    kinds = {
        how: {
            port.of: port.spec.dtype for port in converted(made, how, "three")[1].entries[0].inputs
        }
        for how in ("mapped", "onnx2tf")
    }
    assert kinds["mapped"] == {"zeta": "float32", "ids": "int32", "mask": "bool"}
    assert kinds["onnx2tf"] == {"zeta": "float32", "ids": "int64", "mask": "bool"}


def test_sizes_of_the_batch_share_the_weights(made: Mapping[str, Made]) -> None:
    folder, _ = converted(made, "mapped", "mlp")
    once = 4 * 2 * 4 * 9000
    assert once < (folder / tflite.FILE).stat().st_size < 1.2 * once


def test_the_mapping_refuses_an_lstm_and_says_which(made: Mapping[str, Made]) -> None:
    said = made["mapped"]["lstm"][1]
    assert said.startswith("UnsupportedModel: LiteRT cannot run LSTM (node the recurrent one)")


def test_an_operator_that_nobody_has_is_named(made: Mapping[str, Made]) -> None:
    mapped, by_onnx2tf = (made[how]["strange"][1] for how in ("mapped", "onnx2tf"))
    assert mapped.startswith("UnsupportedModel: LiteRT cannot run Frobnicate (node the one)")
    assert by_onnx2tf.startswith("UnsupportedModel: LiteRT cannot run")
    assert "FROBNICATE, which makes b1/y" in by_onnx2tf


def test_an_operator_that_litert_lacks_is_named_with_its_node(made: Mapping[str, Made]) -> None:
    said = made["mapped"]["arc"][1]
    assert said.startswith("UnsupportedModel: LiteRT cannot run Acos (node an arc)")


def cut(file: str, into: str) -> None:
    """The child: the same file without its first operator, joined as if onnx2tf had written it."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    from deploy_targets.converters import tflite_joined

    whole = schema.ModelT.InitFromPackedBuf(Path(file).read_bytes(), 0)
    del whole.subgraphs[0].operators[0]
    builder = flatbuffers.Builder(0)
    builder.Finish(whole.Pack(builder), b"TFL3")
    Path(into).write_bytes(builder.Output())
    names = Named(["x"], ["logits", "features/out"])
    tflite_joined.join({Path(into): {"b1": "b1"}}, names, names, Path(into), "onnx2tf")


def test_a_file_in_which_nothing_makes_a_tensor_is_not_handed_on(
    made: Mapping[str, Made], tmp_path: Path
) -> None:
    folder, _ = converted(made, "onnx2tf", "cnn")
    into = str(tmp_path / "cut.tflite")
    with pytest.raises(ConversionFailed, match="onnx2tf wrote a file in which nothing makes"):
        in_child("cut", file=str(folder / tflite.FILE), into=into)


def test_the_same_order_gives_the_same_bytes(made: Mapping[str, Made], tmp_path: Path) -> None:
    folder, found = converted(made, "onnx2tf", "three")
    again = tmp_path / "somewhere else"
    again.mkdir()
    order = ordered("three", tmp_path / "graph")
    assert tflite_from_onnx.convert(order, again, Workspace()) == found
    assert (again / tflite.FILE).read_bytes() == (folder / tflite.FILE).read_bytes()


def test_a_shape_that_is_not_the_declared_one_is_refused(
    made: Mapping[str, Made], tmp_path: Path
) -> None:
    folder, _ = converted(made, "onnx2tf", "three")
    order = ordered("three", tmp_path)
    wrong = tuple(dataclasses.replace(spec, shape=(5,)) for spec in order.signature.outputs[:1])
    outputs = (*wrong, *order.signature.outputs[1:])
    declared = dataclasses.replace(order.signature, outputs=outputs)
    packed = tflite.packed(dataclasses.replace(order, signature=declared))
    with pytest.raises(ConversionFailed, match="gave next the shape"):
        in_child("reread", order=packed, folder=str(folder), into=str(tmp_path))


def reread(order: dict[str, Any], folder: str, into: str) -> None:
    """The child: entries.json once more, of another declaration."""
    asked = tflite.unpacked(order)
    Path(into, tflite.FILE).write_bytes(Path(folder, tflite.FILE).read_bytes())
    names = Named(
        [s.name for s in asked.signature.inputs], [s.name for s in asked.signature.outputs]
    )
    tflite.write(asked, Path(into), names, who="onnx2tf", tools={})


def test_without_a_python_for_it_the_hint_says_which_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tflite_from_onnx, "PYTHONS", ("3.99",))
    with pytest.raises(ToolMissing) as missing:
        tflite_from_onnx.convert(ordered("arc", tmp_path), tmp_path, Workspace(tmp_path / "home"))
    assert "3.99" in str(missing.value)
    assert "uv python install" in missing.value.hint


def test_a_conversion_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    order = ordered("arc", tmp_path)
    with pytest.raises(ConversionFailed, match=r"onnx2tf took longer than 0.2 s"):
        tflite_from_onnx.convert(order, tmp_path, Workspace(), timeout=0.2)
    assert not (tmp_path / tflite.FILE).exists()
