"""How much of an estimator's answer float32 arithmetic leaves open.

scikit-learn computes in float64, an artifact in float32. In: the graph that skl2onnx gave. Out:
its answers as they are, and with every operand moved by an ulp, the numbers inside of trees,
support vectors and linear models among them. How far the two are apart is what is looked at; where
they lie is not, for the graph may be wrong.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.frontends.onnx_session import plain
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

SHARE = 0.9
"""Ulps per tree by which a leaf is moved. Adding up K numbers of one size strays by up to the root
of K ulps of the sum, as the leaves of a forest are often the same number, and so are their errors;
an ulp of the sum is K of a leaf, and K leaves moved independently add up to the root of K."""

LEAVES = frozenset({"class_weights", "target_weights"})

ALONE = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor", "Cast", "Reshape"})
"""A graph of these alone rounds nothing but its leaves. Which way a row goes at a threshold is
seen by moving the inputs of scikit-learn itself."""

LARGE = 600
"""Nodes of a graph in which only the attributes are moved: with each operand moved, too, it takes
too long to load (isolation forests have a dozen nodes for each tree)."""


def strayed(path: Path, digest: str, inputs: Tensors, seed: int) -> dict[str, tuple[Array, Array]]:
    """Output -> what the graph answers, and what it answers when it rounds otherwise."""
    still = _session(path, digest)
    names = [output.name for output in still.get_outputs()]
    feeds = dict(inputs)
    if _drawn(path, digest, seed):
        # A session of its own each time: what one draws depends on what it was asked before.
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
def _drawn(path: Path, digest: str, seed: int) -> bool:
    return b"RandomUniformLike" in _moved(path, digest, seed)


@functools.lru_cache(maxsize=4)
def _moved(path: Path, _digest: str, seed: int) -> bytes:
    import onnx

    from deploy_targets.graph.jitter import jitter

    model = onnx.load(path)
    _move_attributes(model, np.random.default_rng(seed))
    kinds = {node.op_type for node in model.graph.node}
    alone = kinds <= ALONE or len(model.graph.node) >= LARGE
    raw: bytes = (model if alone else jitter(model, seed)).SerializeToString()
    return raw


def _move_attributes(model: ModelProto, draw: np.random.Generator) -> None:
    for node in model.graph.node:
        # Adding up K terms costs more than an ulp: each of them carries its share of it.
        ulps = max(1.0, SHARE * _terms(node))
        for attribute in node.attribute:
            if node.domain == ML and attribute.name in MOVED and len(attribute.floats):
                values = np.array(attribute.floats, np.float32)
                many = ulps if attribute.name in LEAVES else 1.0
                by = 1 + many * draw.uniform(-1, 1, values.shape) * 2.0**-23
                attribute.floats[:] = (values * by).astype(np.float32).tolist()


def _terms(node: NodeProto) -> int:
    """How many trees add up in a node; 0 in any other."""
    return next((len(set(a.ints)) for a in node.attribute if a.name == "nodes_treeids"), 0)
