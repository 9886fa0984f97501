"""Where that environment is entered: an ONNX file in, a .tflite for each entry out.

onnx2tf guesses where channels lie, and so it is told of no input that it may turn; a layout that
was ordered is a Transpose in the graph, which it takes out again where it can. What goes in and
comes out is called as the caller says, for onnx2tf rewrites names that TensorFlow would not have.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Compiling what onnx2tf imports costs more than a small conversion: once is enough.
sys.dont_write_bytecode = False

PACKAGES = ("onnx2tf", "onnx", "onnxsim")
MADE = "model_float32.tflite"
"""What onnx2tf calls a model that came without a file's name."""


def write(
    graph: str,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    axes: Mapping[str, Sequence[int]],
    entries: Mapping[str, Mapping[str, Sequence[int]]],
    folder: str,
) -> dict[str, str]:
    """Writes ENTRY/model_float32.tflite for each entry. Returns the versions of the tools.

    `inputs`, `outputs`: what each is to be called in the files. `axes`: of inputs that shall lie
    otherwise, artifact = model.transpose(axes). `entries`: the shape of each input as the model
    has it.
    """
    import onnx

    model = onnx.load(graph)
    for entry, shapes in entries.items():
        asked = [
            _Input(name, given, shapes[name], axes.get(name)) for name, given in inputs.items()
        ]
        _convert(_simplified(_fixed(model, asked, outputs)), Path(folder, entry))
    return {name: version(name) for name in PACKAGES}


class _Input:
    """Its name in the model, and its name, its shape and the way back in the artifact."""

    def __init__(
        self, name: str, given: str, shape: Sequence[int], axes: Sequence[int] | None
    ) -> None:
        order = list(range(len(shape)) if axes is None else axes)
        self.name, self.given = name, given
        self.shape = [shape[axis] for axis in order]
        self.back = [order.index(axis) for axis in range(len(shape))]


def _fixed(model: Any, inputs: Sequence[_Input], outputs: Mapping[str, str]) -> Any:
    """The model with sizes for all axes, its boundary renamed, in the layouts ordered."""
    from onnx import ModelProto, helper

    made = ModelProto()
    made.CopyFrom(model)
    graph, kinds = made.graph, {v.name: v.type.tensor_type.elem_type for v in model.graph.input}
    del graph.input[:], graph.value_info[:]
    nodes = list(_turned(inputs))
    for each in inputs:
        value = helper.make_tensor_value_info(each.given, kinds[each.name], each.shape)
        graph.input.append(value)
    nodes += [*graph.node, *_called(graph, {each.name for each in inputs}, outputs)]
    del graph.node[:]
    graph.node.extend(nodes)
    return made


def _turned(inputs: Sequence[_Input]) -> Iterator[Any]:
    """What makes the model's own inputs of those in the artifact."""
    from onnx import helper

    for each in inputs:
        if each.back == sorted(each.back):
            yield helper.make_node("Identity", [each.given], [each.name])
        else:
            yield helper.make_node("Transpose", [each.given], [each.name], perm=each.back)


def _called(graph: Any, inputs: Collection[str], outputs: Mapping[str, str]) -> Iterator[Any]:
    """Renames each output, and forgets its sizes. Yields the nodes that it takes.

    By another name for the same value: what a node for it would be made of, onnx2tf takes out even
    where others still need its input.
    """
    from onnx import helper

    fixed = {*inputs, *(tensor.name for tensor in graph.initializer)}
    for value, given in zip(graph.output, [outputs[v.name] for v in graph.output], strict=True):
        if value.name in fixed:
            yield helper.make_node("Identity", [value.name], [given])
        else:
            _rename(graph, value.name, given)
            fixed.add(given)
        value.name = given
        value.type.tensor_type.ClearField("shape")


def _rename(graph: Any, old: str, new: str) -> None:
    """In the graph, and in those within it that use its values."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, old, new)
    for value in graph.output:
        if value.name == old:
            value.name = new


def _simplified(model: Any) -> Any:
    """With its shapes computed, which onnx2tf leaves to a program that is not on the PATH here."""
    import onnx
    import onnxsim  # type: ignore[import-not-found,unused-ignore]

    with contextlib.suppress(Exception):  # as it is, it may be converted nonetheless
        model, _ = onnxsim.simplify(model)
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def _convert(model: Any, folder: Path) -> None:
    import onnx2tf  # type: ignore[import-not-found,unused-ignore]

    names = [value.name for value in model.graph.input]
    try:
        onnx2tf.convert(
            onnx_graph=model,
            output_folder_path=str(folder),
            keep_shape_absolutely_input_names=names,
            not_use_onnxsim=True,
            verbosity="error",
        )
    except SystemExit as error:
        raise RuntimeError("it gave up; the log has its last words") from error
    if not (folder / MADE).is_file():
        raise RuntimeError(f"it wrote no {MADE}")
