"""The same graph written otherwise, for a runtime that does not take it as it is written.

In: a model. Out: restatements of it, those that change least first: in the IR version that its
opset came with, in a neighbouring opset (by onnx's version converter), with operators written out
by their own definition in the standard (by onnx's inliner). Neither tool proves what it does, so
whoever takes a restatement has to compare its answers with those of the model as given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_targets.graph import walk
from deploy_targets.graph.write_out import write_out

if TYPE_CHECKING:
    from onnx import ModelProto

STANDARD = ("", "ai.onnx")
OLDEST = 7
"""The first opset whose operators broadcast as numpy does; what runtimes take begins here."""
REACH = 5
"""How many opsets away from its own a model is restated."""

WEIGHTS_APART = 4
"""The first IR version in which a weight need not be an input."""


@dataclass(frozen=True)
class Restatement:
    """A model, and what was done to it: "opset 26, SwiGLU written out"."""

    model: ModelProto
    how: str


def restatements(model: ModelProto) -> Iterator[Restatement]:
    """Ways to write the model otherwise; those that onnx's tools cannot do are left out."""
    for opset in _opsets(opset_of(model)):
        yield from _in_opset(model, opset)


def restated(model: ModelProto, opset: int) -> Restatement | None:
    """The model in another opset; None where onnx's tools cannot do it."""
    return next(_in_opset(model, opset), None)


def _in_opset(model: ModelProto, opset: int) -> Iterator[Restatement]:
    for way in (_converted, _written_out):
        made = _made(way, model, opset)
        if made is not None:
            yield made


def opset_of(model: ModelProto) -> int:
    """The version of the standard's operators that a model uses; 0 where it uses none."""
    return next((o.version for o in model.opset_import if o.domain in STANDARD), 0)


def _opsets(own: int) -> list[int]:
    if not own:
        return []
    if own < OLDEST:
        return [OLDEST, OLDEST + 1, OLDEST + 2]
    return [own, *range(own - 1, max(OLDEST, own - REACH) - 1, -1)]


def _made(
    way: Callable[[ModelProto, int], Restatement | None], model: ModelProto, opset: int
) -> Restatement | None:
    try:
        return way(model, opset)
    except Exception:
        # Converter and inliner fail with errors of many kinds, for graphs that they do not know.
        return None


def _converted(model: ModelProto, opset: int) -> Restatement:
    from onnx import ModelProto, helper, version_converter

    if opset == opset_of(model):
        made = ModelProto()
        made.CopyFrom(model)
    else:
        made = version_converter.convert_version(model, opset)
    first = helper.find_min_ir_version_for(made.opset_import)
    made.ir_version = min(made.ir_version, max(first, WEIGHTS_APART))
    return Restatement(made, f"opset {opset}")


def _written_out(model: ModelProto, opset: int) -> Restatement | None:
    """None where nothing is newer than the opset and has a definition."""
    newer = sorted(_newer(model, opset))
    if not newer:
        return None
    names = ", ".join(dict.fromkeys(operator for _, operator in newer))
    inlined = write_out(model, set(newer))
    return Restatement(_converted(inlined, opset).model, f"opset {opset}, {names} written out")


def _newer(model: ModelProto, opset: int) -> set[tuple[str, str]]:
    """Operators that are not as they were in that opset, and that others can be put in place of."""
    from onnx import defs

    versions = {("" if o.domain in STANDARD else o.domain): o.version for o in model.opset_import}
    found = set()
    for graph in walk.graphs(model.graph):
        for node in graph.node:
            domain = "" if node.domain in STANDARD else node.domain
            if not defs.has(node.op_type, domain) or domain not in versions:
                continue
            schema: Any = defs.get_schema(node.op_type, versions[domain], domain)
            defined = schema.has_function or schema.has_context_dependent_function
            if defined and (domain or schema.since_version > opset):
                found.add((node.domain, node.op_type))
    return found
