"""Puts other operators in the place of one, as the standard defines it.

In: a model and the operators to replace. Out: another model without them. Many operators of the
standard have a body in terms of others; some of those bodies depend on which inputs a node has and
on their types. Each becomes a function of the model's own, which onnx's inliner then inlines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto, TypeProto

DOMAIN = "deploy_target.written_out"


def write_out(model: ModelProto, operators: Collection[tuple[str, str]]) -> ModelProto:
    """Replaces these (domain, operator) in the main graph. Raises what onnx raises."""
    from onnx import helper, inliner, shape_inference

    made = shape_inference.infer_shapes(model)
    versions = {entry.domain: entry.version for entry in made.opset_import}
    types = _types(made)
    for number, node in enumerate(made.graph.node):
        if (node.domain, node.op_type) in operators:
            body = _body(node, versions, types)
            body.domain, body.name = DOMAIN, f"{node.op_type}_{number}"
            made.functions.append(body)
            node.domain, node.op_type = body.domain, body.name
    # The inliner looks for the type of a weight among the values that are stated.
    stated = {value.name for value in (*made.graph.value_info, *made.graph.input)}
    weights = (tensor.name for tensor in made.graph.initializer if tensor.name not in stated)
    made.graph.value_info.extend(helper.make_value_info(name, types[name]) for name in weights)
    made.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    inlined = inliner.inline_local_functions(made, convert_version=True)
    kept = [entry for entry in inlined.opset_import if entry.domain != DOMAIN]
    del inlined.opset_import[:]
    inlined.opset_import.extend(kept)
    return inlined


def _body(
    node: NodeProto, versions: Mapping[str, int], types: Mapping[str, TypeProto]
) -> FunctionProto:
    from onnx import FunctionProto, TypeProto, defs

    version = versions[node.domain]
    schema: Any = defs.get_schema(node.op_type, version, node.domain)
    given = {attribute.name for attribute in node.attribute}
    defaults = (each.default_value for each in schema.attributes.values() if each.name not in given)
    # What a node leaves to its default, a function of the model's own has to be given.
    node.attribute.extend(default for default in defaults if default.name)
    if schema.has_context_dependent_function:
        known = max(v for v in schema.context_dependent_function_opset_versions if v <= version)
        inputs = [types.get(name, TypeProto()).SerializeToString() for name in node.input]
        raw = schema.get_context_dependent_function_with_opset_version(
            known, node.SerializeToString(), inputs
        )
    else:
        known = max(v for v in schema.function_opset_versions if v <= version)
        raw = schema.get_function_with_opset_version(known)
    body: FunctionProto = FunctionProto.FromString(raw)
    _raise_version(body, versions.get("", 0))
    return body


def _raise_version(body: FunctionProto, version: int) -> None:
    """To the model's own, where no operator in the body has changed since: spares a conversion."""
    from onnx import defs

    for entry in body.opset_import:
        nodes = [node for node in body.node if node.domain == entry.domain]
        if (
            entry.domain == ""
            and version > entry.version
            and all(
                defs.get_schema(node.op_type, entry.version).since_version
                == defs.get_schema(node.op_type, version).since_version
                for node in nodes
            )
        ):
            entry.version = version


def _types(model: ModelProto) -> dict[str, TypeProto]:
    from onnx import helper

    graph = model.graph
    weights = {
        tensor.name: helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        for tensor in graph.initializer
    }
    stated = {value.name: value.type for value in (*graph.value_info, *graph.input, *graph.output)}
    return {**weights, **stated}
