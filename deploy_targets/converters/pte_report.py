"""What became of a program in ExecuTorch, in numbers: for the report, and for whoever reads it.

In: the lowered program. Out: operators inside and outside of the delegates, the multiply-adds of
each, the delegates' number, and the memory that is planned. Sizes: the batch at its smallest, every
other dynamic axis at its largest; a loop's step counts as often as it runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_targets.converters.multiply_adds import multiply_adds
from deploy_targets.records import Signature

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import GraphModule, Node


@dataclass(frozen=True)
class Counted:
    """One operator of the lowered program."""

    name: str
    delegated: bool
    multiply_adds: int


def operators(lowered: ExportedProgram, sizes: Mapping[Any, int]) -> dict[str, Any]:
    """What report.json says of the operators, delegated and not."""
    found = list(_counted(lowered.graph_module, sizes, 1))
    total = sum(each.multiply_adds for each in found)
    inside = sum(each.multiply_adds for each in found if each.delegated)
    return {
        "delegated": _by_name(each for each in found if each.delegated),
        "undelegated": _by_name(each for each in found if not each.delegated),
        "multiply_adds": {
            "total": total,
            "delegated": inside,
            "share": round(inside / total, 4) if total else None,
            "undelegated": _sums(each for each in found if not each.delegated),
        },
    }


def planned(plan: Any) -> int:
    """Bytes of memory that a written method needs besides its weights and XNNPACK's own."""
    return sum(plan.non_const_buffer_sizes)


def sizes_of(program: ExportedProgram, signature: Signature) -> dict[Any, int]:
    """Symbol -> the size at which it is counted."""
    import torch

    from deploy_targets.converters.pte_rewrites import inputs_of

    known = {
        axis.name: axis.minimum if axis.name == signature.batch else axis.maximum
        for axis in signature.axes
    }
    pairs: list[tuple[Any, Any]] = [
        pair
        for spec, value in zip(signature.inputs, inputs_of(program), strict=True)
        for pair in zip(spec.shape, value.shape, strict=True)
    ]
    return {
        size.node.expr: known[dim]
        for dim, size in pairs
        if isinstance(size, torch.SymInt) and dim in known
    }


def _counted(
    module: GraphModule, sizes: Mapping[Any, int], times: int, delegated: bool = False
) -> Iterator[Counted]:
    for node in module.graph.nodes:
        if node.op == "get_attr" and (inner := getattr(module, str(node.target), None)) is not None:
            yield from _inner(node, inner, sizes, times)
        if node.op == "call_function" and (name := _name(node)):
            count = 0 if name.startswith("scan") else times * _sums_of(node, sizes)
            yield Counted(name, delegated, count)


def _inner(node: Node, inner: Any, sizes: Mapping[Any, int], times: int) -> Iterator[Counted]:
    """A delegate's own graph, or the body of a loop."""
    if hasattr(inner, "original_module"):
        yield from _counted(inner.original_module.graph_module, sizes, times, delegated=True)
    elif hasattr(inner, "graph"):
        yield from _counted(inner, sizes, times * _runs(node, sizes))


def _runs(body: Any, sizes: Mapping[Any, int]) -> int:
    """How often a loop runs: the length of what it goes along. A branch runs once."""
    for user in body.users:
        if "scan" in str(user.target):
            return _size(user.args[2][0].meta["val"].shape[0], sizes)
        if "map" in str(user.target):
            return _size(user.args[1][0].meta["val"].shape[0], sizes)
    return 1


_NOT_COUNTED = ("getitem", "executorch_call_delegate", "alloc", "sym_size")


def _name(node: Node) -> str:
    """ "convolution" of aten.convolution.default; "" of what is no operator of the model's."""
    name = str(getattr(node.target, "__name__", node.target))
    parts = name.removeprefix("aten.").split(".")
    return "" if any(part in name for part in _NOT_COUNTED) else ".".join(parts)


def _sums_of(node: Any, sizes: Mapping[Any, int]) -> int:
    shapes = [
        _shape(each.meta["val"], sizes)
        for each in node.args
        if hasattr(each, "meta") and hasattr(each.meta.get("val"), "shape")
    ]
    value = node.meta.get("val")
    if not shapes or not hasattr(value, "shape"):
        return 0
    swapped = "convolution" in str(node.target) and bool(node.args[6])
    return multiply_adds(_name(node), shapes, _shape(value, sizes), swapped)


def _shape(value: Any, sizes: Mapping[Any, int]) -> list[int]:
    return [_size(size, sizes) for size in value.shape]


def _size(size: Any, sizes: Mapping[Any, int]) -> int:
    if isinstance(size, int):
        return size
    said = size.node.expr.subs(sizes)
    return int(said) if said.is_number else int(size.node.hint or 0)


def _by_name(found: Iterator[Counted]) -> dict[str, int]:
    return dict(sorted(Counter(each.name for each in found).items()))


def _sums(found: Iterator[Counted]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for each in found:
        sums[each.name] += each.multiply_adds
    return {name: count for name, count in sorted(sums.items()) if count}
