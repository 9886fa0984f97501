"""Names what is to blame at a step: the node, its module and line, and why. In: a Parting.

On paper (an operator that only one side has, an attribute, a weight) where there is something on
paper; else by what the numbers look like.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.converters.onnx_from_torch import SOURCES
from deploy_targets.explaining.sides import Parting, Side
from deploy_targets.graph import align
from deploy_targets.graph.unlike import Constant, Unlike, constants_of, unlike
from deploy_targets.parity.difference import (
    Difference,
    apart,
    kind_of_difference,
    worst_index,
)
from deploy_targets.parity.finding import Culprit, Sight, Stage
from deploy_targets.records import Array

if TYPE_CHECKING:
    from onnx import NodeProto

AROUND = 2
"""Values shown on each side of the worst one."""
MOVES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}
"""Operators that put the same numbers elsewhere."""
NARROWS = {"Cast", "QuantizeLinear", "DequantizeLinear"}
"""Operators that may keep fewer digits of a number."""

Sources = Mapping[str, Mapping[str, str]]


def sources_of(folder: Path) -> Sources:
    """Node -> its module and its line in the user's source, as the exporter noted them down."""
    path = folder / SOURCES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def sight(name: str, want: Array, got: Array) -> Sight:
    """A tensor on both sides."""
    at = worst_index(want, got)
    return Sight(name, apart(want, got), got.shape, at, _values(want, at), _values(got, at))


def culprit(
    stage: Stage, parting: Parting, original: Side, artifact: Side, sources: Sources
) -> Culprit:
    """The node to blame for a parting of two graphs."""
    step, want = parting.parted.step, parting.want
    ours = align.nodes_of(original.model.graph, step.original_nodes)
    theirs = align.nodes_of(artifact.model.graph, step.artifact_nodes)
    found = unlike(
        (ours, constants_of(original.model.graph)),
        (theirs, constants_of(artifact.model.graph)),
        (str(original.beside or ""), str(artifact.beside or "")),
    )
    numbers = kind_of_difference(want[step.original], parting.parted.got)
    node, kind, words = _on_paper(found, ours, theirs, numbers)
    source = sources.get(node.name, {})
    seen = [(o, t) for o, t in step.feeds if o in want and t in parting.got]
    return Culprit(
        stage,
        node.op_type,
        node.name or node.output[0],
        source.get("module", ""),
        source.get("line", ""),
        kind,
        words,
        sight(step.original, want[step.original], parting.parted.got),
        tuple(sight(o, want[o], parting.got[t]) for o, t in seen),
        tuple(_details(found, ours, theirs, numbers)),
    )


def of_answer(
    stage: Stage,
    node: NodeProto,
    want: Array,
    got: Array | None,
    name: str,
    sources: Sources,
) -> Culprit:
    """The node that gives an answer which is wrong, where nothing before it can be compared."""
    came = got if got is not None else np.empty(0, want.dtype)
    numbers = kind_of_difference(want, came)
    source = sources.get(node.name, {})
    return Culprit(
        stage,
        node.op_type,
        node.name or node.output[0],
        source.get("module", ""),
        source.get("line", ""),
        numbers.kind,
        f"{name} comes from here: {numbers.words}",
        sight(name, want, came),
    )


def _on_paper(
    found: Unlike, ours: list[NodeProto], theirs: list[NodeProto], numbers: Difference
) -> tuple[NodeProto, str, str]:
    """The node, the kind and the words for it."""
    if found.extra and set(found.extra) <= MOVES | NARROWS and numbers.kind != "none":
        kind = "layout" if set(found.extra) & MOVES else "precision"
        node = next(node for node in theirs if node.op_type in found.extra)
        return node, kind, f"{_listed(found.extra)} only in the artifact; {numbers.words}"
    if found.missing and (found.constants or not _standard(theirs)):
        said = f"{_ops(theirs)} stands for {_ops(ours)}, with other numbers: {numbers.words}"
        return ours[0], "fused", said
    if found.missing:
        node = next(node for node in ours if node.op_type in found.missing)
        return node, "missing op", f"{_listed(found.missing)} is not in the artifact"
    if found.attributes:
        first = found.attributes[0]
        said = f"{first.name} is {first.artifact or 'not set'}, expected {first.original or 'none'}"
        return _named(first.node, ours), "attribute", said
    if found.constants:
        worst = max(found.constants, key=lambda held: apart(held.original, held.artifact))
        return _named(worst.node, ours), "constant", _constant(worst)
    if found.extra:
        node = next(node for node in theirs if node.op_type in found.extra)
        return node, "extra op", f"{_listed(found.extra)} is not in the original"
    return (ours or theirs)[-1], numbers.kind, numbers.words


def _details(
    found: Unlike, ours: list[NodeProto], theirs: list[NodeProto], numbers: Difference
) -> list[str]:
    # A changed constant or attribute says why; what its numbers look like would only mislead.
    told = (found.attributes or found.constants) and not (found.missing or found.extra)
    said = [] if told else [f"the numbers: {numbers.words}"]
    if found.missing or found.extra:
        said.append(f"the original has {_ops(ours)} here, the artifact {_ops(theirs)}")
    said += [
        f"{a.name} of {a.node} is {a.artifact or 'not set'}, expected {a.original or 'none'}"
        for a in found.attributes
    ]
    return said + [_constant(held) for held in found.constants]


def _standard(nodes: list[NodeProto]) -> bool:
    return all(node.domain in ("", "ai.onnx") for node in nodes)


def _ops(nodes: list[NodeProto]) -> str:
    return ", ".join(node.op_type for node in nodes) or "nothing"


def _constant(held: Constant) -> str:
    want, got = held.original, held.artifact
    if want.shape != got.shape or want.dtype != got.dtype:
        return (
            f"{held.name} is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
        )
    at = worst_index(want, got)
    count = int(np.count_nonzero(want != got))
    return (
        f"{held.name}{list(at)} is {_plain(got[at])}, expected {_plain(want[at])} "
        f"({count} of {want.size} elements differ)"
    )


def _named(name: str, nodes: list[NodeProto]) -> NodeProto:
    return next(node for node in nodes if name in (node.name, *node.output))


def _listed(operators: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(operators))


def _values(array: Array, at: tuple[int, ...]) -> tuple[float | str, ...]:
    if not array.size:
        return ()
    row = array[at[:-1]] if at else array.reshape(-1)
    place = at[-1] if at else 0
    return tuple(_plain(value) for value in row[max(0, place - AROUND) : place + AROUND + 1])


def _plain(value: object) -> float | str:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(value)
