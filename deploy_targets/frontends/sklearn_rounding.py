"""How much of an estimator's answer float32 arithmetic leaves open.

scikit-learn computes in float64, an artifact in float32. In: the graph that skl2onnx gave. Out:
its answers as they are, and with every operand moved by an ulp, the numbers inside of trees,
support vectors and linear models among them. How far the two are apart is what is looked at; where
they lie is not, for the graph may be wrong.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.frontends.onnx_session import plain
from deploy_targets.graph.jitter import IN_SEQUENCE
from deploy_targets.records import Array, Tensors

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

ML = "ai.onnx.ml"
MOVED = frozenset(
    {"coefficients", "intercepts", "rho", "prob_a", "prob_b", "support_vectors", "scale", "offset"}
    | {"class_weights", "target_weights", "base_values", "vectors_per_class"}
)
"""Attributes that are rounded when they become float32. Not the thresholds of trees: skl2onnx
rounds those so that no float32 falls on another side."""

SHARE = 0.5 / 3**0.5
"""What adding up K numbers one after another strays by, as a share of K halves of an ulp of the sum
where all of them are one number. Each addition rounds a partial sum, half of the whole on average,
by anything up to half an ulp of it: a third of its square, on average."""

LEAVES = frozenset({"class_weights", "target_weights"})

CHANCES = frozenset({b"LOGISTIC", b"SOFTMAX"})
"""What makes probabilities of scores. Runtimes get the small ones by taking large ones from 1, or
by dividing all of them by their sum: they are right to an ulp of 1, and not of each value."""

ALONE = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor", "Cast", "Reshape"})
"""A graph of these alone rounds nothing but its leaves. Which way a row goes at a threshold is
seen by moving the inputs of scikit-learn itself."""

FEW = 2
"""Terms of a `Sum` that are no more than an addition."""

LARGE, LAST = 600, 64
"""Nodes of a graph in which only the operands of so many last ones are moved: with all of them it
takes too long to load. Isolation forests have a dozen nodes for each tree, and what is rounded in
one tree of many is less than what their sum is rounded by."""


def strayed(path: Path, digest: str, inputs: Tensors, seed: int) -> dict[str, tuple[Array, Array]]:
    """Output -> what the graph answers, and what it answers when it rounds otherwise."""
    still = _session(path, digest)
    names = [output.name for output in still.get_outputs()]
    feeds = dict(inputs)
    if _fresh(path, digest, seed):
        moved = plain(_moved(path, digest, seed))
    else:
        moved = _moved_session(path, digest, seed)
    pairs = zip(still.run(names, feeds), moved.run(names, feeds), strict=True)
    return dict(zip(names, pairs, strict=True))


@functools.lru_cache(maxsize=2)
def _session(path: Path, _digest: str) -> Any:
    return plain(path)


@functools.lru_cache(maxsize=4)
def _moved_session(path: Path, digest: str, seed: int) -> Any:
    return plain(_moved(path, digest, seed))


@functools.lru_cache(maxsize=4)
def _fresh(path: Path, digest: str, seed: int) -> bool:
    """Whether a session must be new each time, for what it draws depends on what it was asked
    before. Large graphs, which take seconds to load, are kept: a build asks in one order alone."""
    import onnx

    nodes = onnx.load_model_from_string(_moved(path, digest, seed)).graph.node
    return len(nodes) < LARGE and any(node.op_type.startswith("Random") for node in nodes)


@functools.lru_cache(maxsize=4)
def _moved(path: Path, _digest: str, seed: int) -> bytes:
    import onnx

    model = onnx.load(path)
    _move_attributes(model, np.random.default_rng(seed))
    kinds = {node.op_type for node in model.graph.node}
    if not kinds <= ALONE:
        _move_operands(model, seed)
    _blur_behind(model, seed)
    raw: bytes = model.SerializeToString()
    return raw


def _move_operands(model: ModelProto, seed: int) -> None:
    import onnx

    from deploy_targets.graph.jitter import jitter

    held = model.graph
    last = onnx.ModelProto()
    # With the kinds of all values, which the last nodes alone do not tell.
    last.CopyFrom(onnx.shape_inference.infer_shapes(model))
    first = len(held.node) - LAST if len(held.node) >= LARGE else 0
    del last.graph.node[:first]
    moved = jitter(last, seed)
    del held.node[first:]
    held.node.extend(moved.graph.node)


def _move_attributes(model: ModelProto, draw: np.random.Generator) -> None:
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.domain == ML and attribute.name in MOVED and len(attribute.floats):
                values = np.array(attribute.floats, np.float32)
                by: NDArray[np.float64] = draw.uniform(-1, 1, values.shape)
                if attribute.name in LEAVES:
                    by = _of_leaves(values, _terms(node), draw)
                attribute.floats[:] = (values * (1 + by * 2.0**-23)).astype(np.float32).tolist()


def _of_leaves(
    values: NDArray[np.float32], trees: int, draw: np.random.Generator
) -> NDArray[np.float64]:
    """By how many ulps each leaf moves, so that their sum strays as a sum in float32 does.

    Equal leaves move together: adding one number over and over again errs the same way each time,
    and a forest's leaves, each a share of its trees, are a few numbers in thousands of places.
    """
    known, which = np.unique(values, return_inverse=True)
    ulps = max(1.0, SHARE * trees / 2) * draw.choice((-1.0, 1.0), known.shape)
    if trees == 1:
        # Nothing adds up, and what float16 can hold is exact: the number of a leaf, or a share.
        with np.errstate(over="ignore"):
            ulps = np.where(known == known.astype(np.float16), 0.0, ulps)
    return np.asarray(ulps[which.reshape(values.shape)])


def _terms(node: NodeProto) -> int:
    """How many trees add up in a node; 0 in any other."""
    return next((len(set(a.ints)) for a in node.attribute if a.name == "nodes_treeids"), 0)


def _blur_behind(model: ModelProto, seed: int) -> None:
    """Moves the probabilities that classifiers of ai.onnx.ml give by half an ulp of 1, and the sums
    of many values by what adding them up one after another strays by."""
    from onnx import helper

    make = helper.make_node
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        blurred = type(node).FromString(node.SerializeToString())
        nodes.append(blurred)
        chances = node.domain == ML and len(node.output) > 1 and _gives_chances(node)
        if not chances and not (node.op_type == "Sum" and len(node.input) > FEW):
            continue
        index, ulps = (1, 1.0) if chances else (0, IN_SEQUENCE * math.sqrt(len(node.input)))
        value = node.output[index]
        blurred.output[index] = raw = f"{value}__exact"
        own, scale = float((seed + 7919 * len(nodes)) % 65521), ulps * 2.0**-24
        off = f"{raw}_off" if chances else f"{raw}_share"
        nodes.append(make("RandomNormalLike", [raw], [off], scale=scale, seed=own, dtype=1))
        if not chances:
            nodes.append(make("Mul", [raw, off], [f"{raw}_off"]))
        nodes.append(make("Add", [raw, f"{raw}_off"], [value]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _gives_chances(node: NodeProto) -> bool:
    known = {attribute.name: attribute for attribute in node.attribute}
    coupled = "prob_a" in known and bool(known["prob_a"].floats)
    return coupled or ("post_transform" in known and known["post_transform"].s in CHANCES)


def only_trees_see_inputs(path: Path) -> bool:
    """Whether every node that takes an input of the graph is an ensemble of trees."""
    import onnx

    graph = onnx.load(path).graph
    given = {value.name for value in graph.input}
    return all(
        node.op_type.startswith("TreeEnsemble") for node in graph.node if given & set(node.input)
    )
