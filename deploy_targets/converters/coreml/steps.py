"""A PyTorch graph as plain steps. In: an ExportedProgram or a ScriptModule. Out: its operators in
order, and the constants that they take, each under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deploy_targets.converters.coreml.constants import Ref, Step

Named = Mapping[str, tuple[str, Any]]
"""A tensor of the graph -> its name in the model, and its values."""


def of(given: Any) -> tuple[Named, list[Step]]:
    """The constants and the steps."""
    if hasattr(given, "graph_signature"):
        return _constants(given), [*_program_steps(given)]
    named: dict[str, tuple[str, Any]] = {}
    return named, [*_script_steps(given, named)]


def answers(given: Any) -> list[Ref]:
    """The tensors that are given back."""
    if hasattr(given, "graph_signature"):
        return [Ref(str(name)) for name in given.graph_signature.user_outputs]
    outputs = [*given.inlined_graph.outputs()]
    tuples = [node for value in outputs if (node := value.node()).kind() == "prim::TupleConstruct"]
    inner = [value for node in tuples for value in node.inputs()]
    return [Ref(value.debugName()) for value in inner or outputs]


def _constants(program: Any) -> Named:
    kept = {**program.state_dict, **program.constants}
    return {
        spec.arg.name: (str(spec.target), kept[spec.target])
        for spec in program.graph_signature.input_specs
        if spec.target is not None and spec.target in kept
    }


def _program_steps(program: Any) -> Iterator[Step]:
    import torch
    from torch.utils import _pytree as pytree

    def plain(value: Any) -> Any:
        return Ref(value.name) if isinstance(value, torch.fx.Node) else value

    for node in program.graph.nodes:
        if node.op == "call_function":
            arguments, named = pytree.tree_map(plain, (node.args, node.kwargs))
            op = str(getattr(node.target, "__name__", node.target)).split(".")[0]
            yield Step(op, list(arguments), node.name, node.target, named)


def _script_steps(module: Any, named: dict[str, tuple[str, Any]]) -> Iterator[Step]:
    """Fills `named` on its way: a module's graph fetches its constants as it goes."""
    graph = module.inlined_graph
    owners = {next(graph.inputs()).debugName(): ("", module)}
    literals: dict[str, Any] = {}
    for node in _nodes(graph):
        kind = node.kind()
        if kind == "prim::GetAttr":
            _fetch(node, owners, named)
        elif kind == "prim::Constant":
            _literal(node, literals, named)
        elif kind in ("prim::ListConstruct", "prim::TupleConstruct"):
            literals[node.output().debugName()] = _arguments(node, literals)
        elif kind.startswith("aten::") and node.outputsSize():
            yield _step(node, literals)


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _fetch(node: Any, owners: dict[str, tuple[str, Any]], named: dict[str, Any]) -> None:
    import torch

    path, owner = owners[next(node.inputs()).debugName()]
    value, key = getattr(owner, node.s("name")), node.output().debugName()
    name = f"{path}.{node.s('name')}".strip(".")
    if isinstance(value, torch.Tensor):
        named[key] = (name, value)
    else:
        owners[key] = (name, value)


def _literal(node: Any, literals: dict[str, Any], named: dict[str, Any]) -> None:
    import torch

    key = node.output().debugName()
    value = node.output().toIValue()
    # A single number is a part of the code, as an int would be, and goes where the code goes.
    if isinstance(value, torch.Tensor) and value.numel() > 1:
        # A frozen module keeps the names of its tensors so.
        own = key.removeprefix("self.")
        named[key] = (own if own != key else f"constant {key}", value)
    else:
        literals[key] = value


def _arguments(node: Any, literals: Mapping[str, Any]) -> list[Any]:
    names = (value.debugName() for value in node.inputs())
    return [literals.get(name, Ref(name)) for name in names]


def _step(node: Any, literals: Mapping[str, Any]) -> Step:
    import torch

    op = node.kind().removeprefix("aten::")
    makes = next(node.outputs()).debugName()
    return Step(op, _arguments(node, literals), makes, getattr(torch.ops.aten, op, None), {})
