"""Makes the boundary of a program or a module what a package can have. In: either and an Order.

Out: the same, whose inputs lie as ordered, and whose outputs are tensors of their own: a package
cannot hand an input back, nor one tensor under two names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deploy_targets.converters.coreml import Order, steps

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram
    from torch.fx import Graph, Node


def program(given: ExportedProgram, asked: Order) -> ExportedProgram:
    """Changes the graph in place."""
    graph = given.graph_module.graph
    names = given.graph_signature.user_inputs
    holders = {node.name: node for node in graph.nodes if node.op == "placeholder"}
    for name, spec in zip(names, asked.signature.inputs, strict=True):
        if (axes := asked.layouts.get(spec.name)) is not None:
            _turn(graph, holders[str(name)], axes)
    _set_apart(given)
    given.graph_module.recompile()
    return given


def _turn(graph: Graph, holder: Node, axes: Sequence[int]) -> None:
    """The placeholder takes the other shape, and a permutation behind it undoes that."""
    import torch

    value = holder.meta["val"]
    first = next(node for node in graph.nodes if node.op != "placeholder")
    with graph.inserting_before(first):
        back = graph.call_function(torch.ops.aten.permute.default, (holder, _back(axes)))
    holder.replace_all_uses_with(back, delete_user_cb=lambda user: user is not back)
    back.meta["val"] = value
    holder.meta["val"] = value.permute(axes).contiguous()


def _set_apart(given: ExportedProgram) -> None:
    import torch

    graph = given.graph_module.graph
    last = graph.output_node()
    given_back = [*last.args[0]]
    keys = [getattr(node, "name", str(node)) for node in given_back]
    for index in _repeated(keys, given.graph_signature.user_inputs):
        with graph.inserting_before(last):
            node = graph.call_function(torch.ops.aten.alias.default, (given_back[index],))
        node.meta["val"] = given_back[index].meta["val"]
        given.graph_signature.output_specs[index].arg.name = node.name
        given_back[index] = node
    last.args = (tuple(given_back),)


def _repeated(outputs: Sequence[str], inputs: Sequence[Any]) -> list[int]:
    """Which of the outputs were there already, as inputs or as outputs before them."""
    return [i for i, key in enumerate(outputs) if key in (*map(str, inputs), *outputs[:i])]


def module(given: torch.jit.ScriptModule, asked: Order) -> Any:
    """A module around it, where anything is changed."""
    import torch

    layouts = [asked.layouts.get(spec.name) for spec in asked.signature.inputs]
    inputs = [value.debugName() for value in given.inlined_graph.inputs()]
    again = _repeated([ref.key for ref in steps.answers(given)], inputs)
    if not any(layouts) and not again:
        return given

    class Turned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = given

        def forward(self, *tensors: torch.Tensor) -> Any:
            pairs = zip(tensors, layouts, strict=True)
            found = self.model(
                *(t if axes is None else t.permute(_back(axes)) for t, axes in pairs)
            )
            alias = torch.ops.aten.alias
            return tuple(alias(each) if i in again else each for i, each in enumerate(found))

    trace: Callable[..., Any] = torch.jit.trace
    with torch.no_grad():
        return trace(Turned().eval(), _examples(asked, layouts), check_trace=False)


def _examples(asked: Order, layouts: Sequence[Sequence[int] | None]) -> tuple[torch.Tensor, ...]:
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe, sizes_to_run

    signature = asked.signature
    sizes = sizes_to_run(signature.axes)[0] if signature.axes else {}
    examples = map(to_tensor, probe(signature.inputs, sizes).values())
    return tuple(
        tensor if axes is None else tensor.permute(*axes).contiguous()
        for tensor, axes in zip(examples, layouts, strict=True)
    )


def _back(axes: Sequence[int]) -> list[int]:
    return [axes.index(i) for i in range(len(axes))]
