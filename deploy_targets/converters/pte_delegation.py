"""Which operators go to XNNPACK, and which one it was that it could not take.

In: operators to keep out. Out: a partitioner; and, of an exception from within XNNPACK's
lowering, the operator (with the shapes that it met) to keep out next time.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.fx import Node

SAME = 3
"""So many shapes of one operator are kept out one by one; then it is kept out whatever it takes."""
SUMS = ("convolution.default", "linear.default", "addmm.default", "mm.default", "bmm.default")
"""The operators that multiply and add: nearly all the work of a network."""


@dataclass(frozen=True)
class Kept:
    """What stays out of the delegate."""

    operators: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    """An operator with shapes: "squeeze_copy.dim [s0, 4, s1] -> …"."""
    sums_alone: bool = False

    def has(self, node: Node) -> bool:
        """Whether this node is kept out."""
        name = operator(node)
        if self.sums_alone and name not in SUMS:
            return True
        return name in self.operators or (bool(self.calls) and call(node) in self.calls)

    def and_also(self, nodes: list[Node]) -> Kept:
        """These besides."""
        calls, operators = set(self.calls), set(self.operators)
        for node in nodes:
            calls.add(call(node))
            name = operator(node)
            if sum(each.startswith(f"{name} ") for each in calls) >= SAME:
                operators.add(name)
        return replace(self, calls=frozenset(calls), operators=frozenset(operators))

    def said(self) -> list[str]:
        """What is kept out, for the report."""
        rest = [c for c in self.calls if c.partition(" ")[0] not in self.operators]
        alone = ["all but what multiplies and adds"] if self.sums_alone else []
        return [*alone, *sorted(self.operators), *sorted(rest)]


def partitioner(kept: Kept) -> Any:
    """XNNPACK's own, which leaves alone what is kept out."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # type: ignore[import-not-found,unused-ignore]
        XnnpackPartitioner,
    )

    made = XnnpackPartitioner()
    for config in made.target_partitioner_configs.values():
        config.check_constraints = _asking(kept, config.check_constraints)
    return made


def culprits(error: Exception) -> list[Node]:
    """The node that XNNPACK's lowering was at; all of its part where none can be told."""
    found: Node | None = None
    for frame in _frames(error):
        if "xnnpack" not in frame.f_code.co_filename:
            continue
        node, program = frame.f_locals.get("node"), frame.f_locals.get("edge_program")
        if found is None and getattr(node, "op", "") == "call_function":
            found = node
        if program is not None:
            return _before(found, [n for n in program.graph.nodes if _is_operator(n)])
    return []


def _before(found: Node | None, part: list[Node]) -> list[Node]:
    """The node as it was before XNNPACK's own rewrites, or all that it can have been made of."""
    nearest = [found] if found is not None else []
    seen: set[Node] = set()
    while nearest:
        if same := [node for node in part if call(node) in set(map(call, nearest))]:
            return same
        names = {operator(node) for node in nearest}
        if alike := [node for node in part if operator(node) in names]:
            return alike
        seen.update(nearest)
        given = [each for node in nearest for each in node.all_input_nodes]
        nearest = [each for each in given if _is_operator(each) and each not in seen]
    return part


def operator(node: Node) -> str:
    """ "aten.squeeze_copy.dim" is "squeeze_copy.dim"."""
    parts = str(getattr(node.target, "__name__", node.target)).split(".")
    return ".".join(parts[1:] if len(parts) > 2 else parts)


def call(node: Node) -> str:
    """An operator and the shapes that it takes and gives: the same in every attempt."""
    given = ", ".join(_shape(each) for each in node.all_input_nodes)
    return f"{operator(node)} {given} -> {_shape(node)}"


def _shape(node: Node) -> str:
    value = node.meta.get("val")
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return str(list(getattr(first, "shape", [])))


def _asking(kept: Kept, plain: Any) -> Any:
    return lambda node, program: not kept.has(node) and plain(node, program)


def _is_operator(node: Node) -> bool:
    import operator as python

    return node.op == "call_function" and node.target is not python.getitem


def _frames(error: BaseException) -> Iterator[Any]:
    """Innermost first, of the first cause first."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    for each in reversed(causes):
        yield from reversed([frame for frame, _ in traceback.walk_tb(each.__traceback__)])
