"""A graph for an older runtime: in the opset and the IR version that it reads.

In: a model. Out: the same, lowered by onnx's own tools (`restate`), which prove nothing of what
they do: it is checked here to be valid, and whoever takes it has to ask it. A model that is old
enough stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_targets.errors import UnsupportedModel
from deploy_targets.graph import restate

if TYPE_CHECKING:
    from onnx import ModelProto


def lower(model: ModelProto, opset: int, ir: int, reader: str) -> restate.Restatement:
    """The model for `reader`, which reads so much. Raises UnsupportedModel naming what stays."""
    if restate.opset_of(model) <= opset and model.ir_version <= ir:
        return restate.Restatement(model, "")
    made = restate.restated(model, opset) or _as_it_is(model, opset, ir)
    if made is None or made.model.ir_version > ir:
        newer = ", ".join(newer_than(model, opset)) or "an operator that onnx cannot restate"
        raise UnsupportedModel(
            f"{reader} reads ONNX up to opset {opset}, and this graph of opset "
            f"{restate.opset_of(model)} could not be lowered to it: {newer}",
            hint="choose a newer system for the board, or export the model with that opset",
        )
    _checked(made, reader, opset)
    return made


def _as_it_is(model: ModelProto, opset: int, ir: int) -> restate.Restatement | None:
    """The same nodes under the older opset, where that has each of them for these types.

    onnx's converter leaves out operators of which a newer opset merely takes more types (Relu).
    """
    import onnx
    from onnx import checker, shape_inference

    if model.functions:
        return None
    made = onnx.ModelProto()
    made.CopyFrom(model)
    made.ir_version = ir
    for each in made.opset_import:
        if each.domain in restate.STANDARD:
            each.version = opset
    try:
        checker.check_model(made, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError):
        return None
    return restate.Restatement(made, f"opset {opset}")


def _checked(made: restate.Restatement, reader: str, opset: int) -> None:
    """What onnx made of it is valid ONNX. Raises UnsupportedModel with onnx's own words."""
    from onnx import checker

    try:
        checker.check_model(made.model)
    except (checker.ValidationError, ValueError) as error:
        # check_model takes no message beyond 2 GB (ValueError); no board takes such a model either.
        said = " ".join(str(error).split())[:300]
        raise UnsupportedModel(
            f"the graph for {reader}, lowered to opset {opset}, is no valid ONNX: {said}",
            hint="choose a newer system for the board, or export the model with that opset",
        ) from None


def newer_than(model: ModelProto, opset: int) -> list[str]:
    """The operators that the opset does not have, or not as they are here, with a node of each."""
    from onnx import defs

    from deploy_targets.graph import walk

    found: dict[str, str] = {}
    for graph in walk.graphs(model.graph):
        for node in graph.node:
            if node.domain in restate.STANDARD and node.op_type not in found:
                schema = defs.get_schema(node.op_type, restate.opset_of(model), "")
                if schema.since_version > opset:
                    found[node.op_type] = node.name
    return [f"{operator} ({name})" if name else operator for operator, name in found.items()]
