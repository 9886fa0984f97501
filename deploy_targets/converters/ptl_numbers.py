"""Python's numbers in a trace, made numbers again.

In: the graph of a method. Out: the same graph, changed in place. A trace writes the 2.5 of
`torch.arange(n) * 2.5` as a tensor constant without axes. Where TorchScript runs it, that is taken
for a number again, and the product is float32; the lite interpreter takes the constant at its
datatype, and answers in float64. So operators that have a form for numbers are given numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def restore(graph: Any) -> None:
    """Replaces constants of one element by numbers wherever the operator takes either."""
    import torch

    # Only in an inlined graph are all operators in sight.
    torch._C._jit_pass_inline(graph)
    for node in list(_nodes(graph)):
        for place, value in enumerate(list(node.inputs())):
            number = _number(value)
            if number is not None and _takes_number(node, place):
                made = graph.insertConstant(number)
                made.node().moveBefore(node)
                node.replaceInput(place, made)
    graph.lint()


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _number(value: Any) -> float | int | bool | None:
    """The number, where it is a constant such as a trace makes of a Python number."""
    import torch

    node = value.node()
    if node.kind() != "prim::Constant" or value.type().kind() != "TensorType":
        return None
    if not node.hasAttribute("value"):
        return None
    tensor = node.t("value")
    if tensor.ndim or tensor.dtype not in (torch.float64, torch.int64, torch.bool):
        return None
    number: float | int | bool = tensor.item()
    return number


def _takes_number(node: Any, place: int) -> bool:
    """Whether the operator has a form with a number there, and all else as it is."""
    import torch

    if not node.kind().startswith("aten::"):
        return False
    kinds = [each.type.kind() for each in torch._C.parse_schema(node.schema()).arguments]
    kinds[place] = "NumberType"
    forms = torch._C._jit_get_schemas_for_operator(node.kind())
    return any([each.type.kind() for each in form.arguments] == kinds for form in forms)
