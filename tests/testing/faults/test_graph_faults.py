"""Every fault of a graph, on graphs as exporters write them, run in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pytest

from deploy_targets.testing.faults import FAULTS, Fault, Place
from deploy_targets.testing.faults.surgery import Surgery
from tests.testing.faults import exported
from tests.testing.faults.distance import distance

GRAPH = [fault for fault in FAULTS.values() if fault.place is Place.GRAPH]
SEEDS = range(3)

every_fault = pytest.mark.parametrize("fault", GRAPH, ids=lambda fault: fault.name)


def run(model: onnx.ModelProto, inputs: exported.Tensors) -> Mapping[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # it warns of what the quantizer itself leaves behind
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


@cache
def honest(name: str) -> Mapping[str, np.ndarray]:
    graph = exported.zoo()[name]
    return run(graph.model, graph.inputs)


@cache
def moved(name: str, fault: Fault, strength: float, seed: int) -> float | None:
    """How far the fault moves the answers of a graph; None where it has no place in it."""
    graph = exported.zoo()[name]
    wrong = fault.change(graph.model, strength, seed)
    if wrong is None:
        return None
    onnx.checker.check_model(wrong, full_check=True)
    return distance(honest(name), run(wrong, graph.inputs))


def felt(name: str, fault: Fault, strength: float) -> bool:
    """Whether it changes answers under one of a few seeds: some units of a graph are idle."""
    return any(moved(name, fault, strength, seed) for seed in SEEDS)


@every_fault
def test_a_graph_with_a_fault_loads_and_answers_otherwise(fault: Fault) -> None:
    gross = fault.strengths[0]
    placed = [name for name in exported.zoo() if moved(name, fault, gross, 0) is not None]
    assert placed, "no graph has a place for it"
    # Steps of eight bits swallow a single weight.
    loud = [name for name in placed if name != "quantized"] or placed
    assert [name for name in loud if not felt(name, fault, gross)] == []


@every_fault
def test_a_weaker_fault_of_a_graph_changes_less(fault: Fault) -> None:
    tries = [(name, seed) for seed in SEEDS for name in exported.zoo()]
    rows = ([moved(name, fault, s, seed) for s in fault.strengths] for name, seed in tries)
    far = next([step for step in row if step] for row in rows if all(row))
    # Parts of a fault can cancel each other, so a step may go up a little, and the whole not.
    assert far[-1] <= far[0]
    assert all(weaker <= 1.5 * stronger for stronger, weaker in pairwise(far))


@every_fault
def test_a_graph_fault_is_the_same_for_the_same_seed(fault: Fault) -> None:
    for name, graph in exported.zoo().items():
        if moved(name, fault, fault.strengths[0], 0) is None:
            continue
        before = graph.model.SerializeToString(deterministic=True)
        one, two = (fault.change(graph.model, fault.strengths[-1], 7) for _ in range(2))
        assert (one is None) == (two is None)
        assert one is None or one == two
        assert graph.model.SerializeToString(deterministic=True) == before


@every_fault
def test_a_graph_without_a_place_for_it_is_left_alone(fault: Fault) -> None:
    assert fault.change(exported.placeless(), fault.strengths[0], 0) is None


def test_seeds_choose_different_places() -> None:
    model = exported.zoo()["vision"].model
    wrong = [FAULTS["one_weight_changed"].change(model, 1.0, seed) for seed in range(8)]
    assert len({each.SerializeToString(deterministic=True) for each in wrong}) > 1


def test_a_constant_that_two_nodes_share_changes_for_one_of_them() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> shared (float[2, 2] x) => (float[2, 2] y)'
        " <float[2, 2] w = {1, 2, 3, 4}> { a = MatMul(x, w) y = MatMul(a, w) }"
    )
    cut = Surgery(model, 0)
    first, second = cut.nodes("MatMul")
    cut.put(first, 1, np.zeros((2, 2), np.float32))
    changed, kept = (cut.constant(node.input[1]) for node in (first, second))
    assert changed is not None
    assert kept is not None
    assert not changed.any()
    assert kept.tolist() == [[1, 2], [3, 4]]


def test_a_gap_behind_an_input_leaves_its_name() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> gap (float[2] x) => (float[2] y) { y = Neg(x) }'
    )
    cut = Surgery(model, 0)
    honest_value, wrong = cut.between("x")
    cut.add("Abs", [honest_value], wrong)
    finished = cut.finished()
    assert finished is not None
    said = run(finished, {"x": np.float32([-1, 2])})
    assert said["y"].tolist() == [-1, -2]


OLD = (
    '<ir_version: 3, opset_import: ["" : 9]> old (float[3, 2] x, float[2, 2] w) => (float[3, 2] y)'
    " <float[2, 2] w = {1, 2, 3, 4}> { a = MatMul(x, w) y = Relu(a) }"
)


def test_an_old_graph_gets_no_operators_that_it_cannot_have() -> None:
    old = onnx.parser.parse_model(OLD)
    assert FAULTS["channels_shuffled"].change(old, 1, 0) is None


def test_a_weight_of_an_old_graph_stays_one_of_its_inputs() -> None:
    old = onnx.parser.parse_model(OLD)
    wrong = FAULTS["weights_stale"].change(old, 0.3, 0)
    assert wrong is not None
    assert {i.name for i in wrong.graph.input} >= {i.name for i in wrong.graph.initializer}
    onnx.checker.check_model(wrong, full_check=True)
    given = {"x": np.ones((3, 2), np.float32)}
    assert distance(run(old, given), run(wrong, given)) > 0
