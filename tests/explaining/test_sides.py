"""A fault planted in the middle of a graph is found at exactly the node where it was planted."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from deploy_targets.explaining import blame, sides
from deploy_targets.explaining.sides import Side
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.difference import apart
from deploy_targets.parity.finding import Culprit, Stage
from deploy_targets.records import Tensors

from . import planting
from .planting import Plant, deep, question

FAULTS: dict[str, tuple[Plant, str, str]] = {
    "a weight": (planting.weight_changed, "conv", "constant"),
    "weights that went through float16": (planting.weights_rounded, "conv", "constant"),
    "a weight of a norm": (planting.weight_changed, "norm", "constant"),
    "an epsilon": (planting.attribute_changed, "norm", "attribute"),
    "a slope": (planting.attribute_changed, "leaky", "attribute"),
    "a ReLU left out": (planting.removed, "relu", "missing op"),
    "a ReLU left out, its name kept": (planting.removed_in_place, "relu", "missing op"),
    "a norm left out": (planting.removed, "norm", "missing op"),
    "axes exchanged": (planting.transposed, "add", "layout"),
    "values that went through float16": (planting.narrowed, "conv", "precision"),
}


@pytest.fixture(scope="module")
def honest() -> ModelProto:
    """A graph of 121 nodes."""
    return deep(24)


def culprit(one: ModelProto, other: ModelProto, feeds: Tensors) -> tuple[Culprit, int]:
    """Who is blamed, and how often graphs were run for it."""
    original, artifact = Side(one, feeds), Side(other, feeds)
    boundary = {value.name: value.name for value in (*one.graph.input, *one.graph.output)}
    want, got = original.answers(), artifact.answers()
    distance = max(apart(want[name], got[name]) for name in want)
    assert distance > 0
    parting = sides.first_parting(original, artifact, boundary, distance)
    assert parting is not None
    found = blame.culprit(Stage.BUILD, parting, original, artifact, {})
    return found, original.runs + artifact.runs


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_from_one_run_of_each_graph(
    honest: ModelProto, fault: str
) -> None:
    plant, name, kind = FAULTS[fault]
    spoilt = planting.copied(honest)
    named = plant(spoilt, _node(spoilt, f"b11.{name}.node")).name
    found, runs = culprit(honest, spoilt, question())
    assert (found.node, found.kind, runs) == (named, kind, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_found_where_a_tool_has_renamed_everything(honest: ModelProto, fault: str) -> None:
    plant, name, kind = FAULTS[fault]
    spoilt = planting.copied(honest)
    named = plant(spoilt, _node(spoilt, f"b11.{name}.node")).name
    order = [node.name for node in spoilt.graph.node]
    other = planting.renamed(spoilt)
    if named == "planted":
        named = other.graph.node[order.index(named)].name
    found, _ = culprit(honest, other, question())
    assert (found.node, found.kind) == (named, kind)


def test_a_fault_among_fused_nodes_is_found_in_the_nodes_that_were_fused(
    honest: ModelProto, tmp_path: object
) -> None:
    spoilt = planting.copied(honest)
    planting.weight_changed(spoilt, _node(spoilt, "b11.conv.node"))
    found, runs = culprit(honest, _optimised(spoilt, f"{tmp_path}/fused.onnx"), question())
    assert (found.node, found.kind) == ("b11.conv.node", "fused")
    assert "BatchNormalization" in found.words
    # Norms were folded everywhere: rounding was there before, so the step was run by itself.
    assert runs == 3


def test_rounding_alone_is_not_taken_for_the_fault(honest: ModelProto, tmp_path: object) -> None:
    spoilt = planting.copied(honest)
    planting.weight_changed(spoilt, _node(spoilt, "b22.conv.node"))
    fused = _optimised(spoilt, f"{tmp_path}/fused.onnx")
    found, _ = culprit(honest, fused, question())
    assert found.node == "b22.conv.node"
    first = found.inputs[0]
    assert 0 < first.relative_l2 < 1e-5


def test_a_difference_that_a_relu_hides_is_not_taken_for_the_fault(honest: ModelProto) -> None:
    # So negative that the Relu of its block gives 0 whatever the slope before it is.
    one = planting.copied(honest)
    held = {tensor.name: tensor for tensor in one.graph.initializer}
    low = np.full(8, -1e6, np.float32)
    held["b5.shift"].CopyFrom(onnx.numpy_helper.from_array(low, "b5.shift"))
    other = planting.copied(one)
    planting.attribute_changed(other, _node(other, "b5.leaky.node"))
    planting.weights_rounded(other, _node(other, "b17.conv.node"))
    # All that follows b5 would be 0; so the input of the net is added again.
    for model in (one, other):
        _node(model, "b6.add.node").input[1] = "x"
    found, _ = culprit(one, other, question())
    assert found.node == "b17.conv.node"


@pytest.mark.parametrize("blocks", [1, 4, 24])
def test_what_only_optimisation_does_wrong_is_found_in_few_cuts(blocks: int) -> None:
    model = deep(blocks)
    planting.overflowing(model, blocks // 2)
    side = Side(model, question())
    want, got = side.answers(), side.answers(optimised=True)
    before = side.runs
    parting = sides.first_when_optimised(side, side, {}, apart(want["y"], got["y"]))
    assert parting is not None
    assert parting.parted.step.artifact == "large"
    assert side.runs - before <= np.log2(len(model.graph.node)) + 3


def test_a_fault_in_an_exported_model_is_found(exported: ModelProto) -> None:
    feeds = {
        "image": np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32),
        "token": np.array([3, 7]),
        "use": np.array([True, False]),
    }
    wrong = 0
    for index, node in enumerate(exported.graph.node):
        if next(planting.float_weights(exported, node), None) is None:
            continue
        spoilt = planting.copied(exported)
        named = planting.weights_rounded(spoilt, spoilt.graph.node[index])
        answers = Side(exported, feeds).answers(), Side(spoilt, feeds).answers()
        if all(apart(want, answers[1][name]) == 0 for name, want in answers[0].items()):
            continue
        found, runs = culprit(exported, spoilt, feeds)
        assert (found.node, found.kind, runs) == (named.name or named.output[0], "constant", 2)
        wrong += 1
    assert wrong >= 3


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ModelProto:
    """The zoo's three inputs, as an exporter writes them."""
    from deploy_targets import frontends
    from deploy_targets.records import Capture, Dialect
    from deploy_targets.testing import zoo

    folder = tmp_path_factory.mktemp("exported")
    spec: SourceSpec = zoo.SPECS["three_inputs"]
    frontends.load(spec).capture(Capture(Dialect.ONNX, "legacy"), folder)
    return onnx.load(folder / "model.onnx")


def _node(model: ModelProto, name: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.name == name)


def _optimised(model: ModelProto, path: str) -> ModelProto:
    """What ONNX Runtime makes of a graph, written down."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = path
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(path)
