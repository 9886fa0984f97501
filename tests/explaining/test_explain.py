"""The door: which station is blamed, and what is said where nothing can be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto

import deploy_targets
from deploy_targets import bundle as bundles
from deploy_targets import config
from deploy_targets.errors import ConfigError, NotRun
from deploy_targets.explaining.explain import explain
from deploy_targets.parity.finding import Stage
from deploy_targets.parity.verify import Recorded
from deploy_targets.pipeline import verify_folder
from deploy_targets.records import Answer
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from . import planting
from .conftest import Planted
from .planting import overflowing


def node(model: ModelProto, name: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.name == name)


def test_a_weight_changed_in_the_artifact_is_named_with_its_numbers(
    planted: Planted, workspace: Workspace
) -> None:
    path = planted.bundle(lambda m: planting.weight_changed(m, node(m, "b3.conv.node")))
    found = explain(path, workspace=workspace)
    assert (found.stage, found.runs) == (Stage.BUILD, 2)
    (culprit,) = found.culprits
    assert (culprit.operator, culprit.node, culprit.kind) == ("Conv", "b3.conv.node", "constant")
    assert "b3.w[" in culprit.words
    assert culprit.output.relative_l2 > 1e-3
    assert culprit.output.expected != culprit.output.came
    assert all(seen.relative_l2 == 0 for seen in culprit.inputs)
    assert found.untold == ()


def test_explain_is_part_of_the_public_api(planted: Planted, workspace: Workspace) -> None:
    path = planted.bundle(lambda m: planting.removed(m, node(m, "b2.relu.node")))
    found = deploy_targets.explain(path, workspace=workspace)
    assert [(c.node, c.kind) for c in found.culprits] == [("b2.relu.node", "missing op")]


def test_what_only_the_optimised_graph_does_wrong_is_found_by_cutting(
    planted: Planted, workspace: Workspace
) -> None:
    overflowing(planted.model, 3)
    path = planted.bundle(lambda m: None)
    found = explain(path, workspace=workspace)
    assert found.stage is Stage.OPTIMISATION
    (culprit,) = found.culprits
    assert (culprit.node, culprit.kind) == ("b3.norm.node", "not finite")
    # One run of each graph with all in sight, one optimised; the rest are cuts.
    assert found.runs - 3 <= np.log2(len(planted.model.graph.node)) + 3


@pytest.mark.parametrize("shown", [True, False])
def test_a_runtime_with_a_wrong_operator_is_found_by_building_parts_for_it(
    planted: Planted, workspace: Workspace, shown: bool
) -> None:
    path = planted.bundle(lambda m: None, planted.job("odd", shown=shown))
    found = explain(path, workspace=workspace)
    assert found.stage is Stage.RUNTIME
    (culprit,) = found.culprits
    assert (culprit.operator, culprit.node) == ("LeakyRelu", "b0.leaky.node")
    assert set(found.differences) == {"y"}
    assert found.runs <= np.log2(len(planted.model.graph.node)) + 3 + 3


def test_what_lies_around_the_graph_is_told_from_what_the_runtime_does(
    planted: Planted, workspace: Workspace
) -> None:
    job = planted.job("odd", slope=0.1)
    path = planted.bundle(lambda m: planting.weight_changed(m, node(m, "b3.conv.node")), job)
    found = explain(path, workspace=workspace)
    assert (found.stage, found.culprits) == (Stage.RUNTIME, ())
    assert "built anew" in found.said


def test_rows_that_come_reversed_from_a_device_are_said_to_be(
    planted: Planted, workspace: Workspace
) -> None:
    path = planted.bundle(lambda m: None)
    opened = bundles.open_bundle(path)
    reversed_rows = {
        check.call.name: Answer({name: array[::-1] for name, array in check.expected.items()})
        for check in bundles.read_golden(opened)
    }
    recorded = Recorded("a device", "cpu", reversed_rows)
    report = verify_folder(path, workspace, recorded=recorded).report
    found = explain(path, report=report, recorded=recorded, workspace=workspace)
    assert found.stage is Stage.RUNTIME
    assert found.differences["y"].kind == "layout"
    assert "axis 0 is reversed" in found.differences["y"].words


def test_nothing_is_explained_where_all_passed(planted: Planted, workspace: Workspace) -> None:
    found = explain(planted.bundle(lambda m: None), workspace=workspace)
    assert (found.stage, found.culprits) == (Stage.NOTHING, ())
    assert "nothing to explain" in found.said


def test_a_bundle_that_was_never_run_has_nothing_to_explain(
    planted: Planted, workspace: Workspace
) -> None:
    path = planted.bundle(lambda m: None)
    report = bundles.read_report(bundles.open_bundle(path))
    assert report is not None
    rows = tuple(dataclasses.replace(row, verdict=Verdict.NOT_RUN) for row in report.rows)
    with pytest.raises(NotRun, match="never run") as error:
        explain(path, report=dataclasses.replace(report, rows=rows), workspace=workspace)
    assert "deploy-target verify" in error.value.hint


def test_the_model_of_another_bundle_is_refused(
    planted: Planted, workspace: Workspace, tmp_path: Path
) -> None:
    path = planted.bundle(lambda m: planting.weight_changed(m, node(m, "b3.conv.node")))
    onnx.save(planting.deep(2, seed=7), tmp_path / "other.onnx")
    other = config.validate({"source": "other.onnx"}, tmp_path)
    with pytest.raises(ConfigError, match="--model is not what"):
        explain(path, other, workspace=workspace)


def test_without_the_captured_graph_it_says_what_to_type(
    planted: Planted, workspace: Workspace, tmp_path: Path
) -> None:
    path = planted.bundle(lambda m: planting.weight_changed(m, node(m, "b3.conv.node")))
    elsewhere = Workspace(tmp_path / "another machine")
    found = explain(path, workspace=elsewhere)
    assert found.stage is Stage.UNKNOWN
    assert "--explain --model deploy.toml" in found.untold[0]
    again = explain(path, config.validate({"source": "deep.onnx"}, tmp_path), workspace=elsewhere)
    assert [c.node for c in again.culprits] == ["b3.conv.node"]


def test_values_that_do_not_fit_into_memory_together_are_looked_at_in_turn(
    planted: Planted, workspace: Workspace
) -> None:
    path = planted.bundle(lambda m: planting.narrowed(m, node(m, "b4.conv.node")))
    found = explain(path, workspace=workspace, memory=20_000)
    assert [(c.operator, c.node, c.kind) for c in found.culprits] == [
        ("Cast", "planted", "precision")
    ]
    assert found.runs > 4


def test_of_a_graph_that_refuses_some_inputs_the_node_is_named(
    planted: Planted, workspace: Workspace
) -> None:
    def batch_burnt_in(model: ModelProto) -> None:
        add = node(model, "b2.add.node")
        shape = onnx.numpy_helper.from_array(np.array([1, 8, 8, 8]), "one row")
        model.graph.initializer.append(shape)
        fixed = onnx.helper.make_node(
            "Reshape", [f"{add.output[0]} raw", "one row"], [add.output[0]], "burnt in"
        )
        planting.after(model, add, fixed)

    found = explain(planted.bundle(batch_burnt_in), workspace=workspace)
    (culprit,) = found.culprits
    assert (culprit.stage, culprit.kind) == (Stage.BUILD, "refused")
    assert (culprit.operator, culprit.node) == ("Reshape", "burnt in")
