"""scikit-learn as a source: what is asked of an estimator, what is refused, what is recognised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from deploy_targets import frontends
from deploy_targets.converters.onnx_from_sklearn import converted
from deploy_targets.errors import DeployError, ToolMissing, UnsupportedModel
from deploy_targets.frontends.sklearn_answers import answer, asked
from deploy_targets.frontends.sklearn_rounding import _of_leaves
from deploy_targets.frontends.sklearn_state import state_of
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import onnx_runtime
from deploy_targets.records import DynamicAxis, TensorSpec
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import Workspace

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(60, 4)).astype(np.float32)
CLASSES = (ROWS[:, 0] > 0).astype(int) + (ROWS[:, 1] > 1)
NAMED = np.array(["cat", "dog", "emu"])[CLASSES]


def saved(folder: Path, thing: Any) -> SourceSpec:
    joblib.dump(thing, folder / "model.joblib")
    return SourceSpec("model.joblib", folder)


def refusal(spec: SourceSpec) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(spec)
    return caught.value


def test_a_pipeline_tells_its_own_signature_and_answers_as_itself(tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES)
    model = frontends.load(saved(tmp_path, pipeline))
    assert model.signature.inputs == (TensorSpec("features", "float32", ("batch", 4)),)
    assert model.signature.axes == (DynamicAxis("batch", 1, 64),)
    assert model.signature.batch == "batch"
    assert model.signature.outputs == (
        TensorSpec("label", "int64", ("batch",)),
        TensorSpec("probabilities", "float32", ("batch", 3)),
    )
    answers = model.run({"features": ROWS})
    np.testing.assert_array_equal(answers["label"], pipeline.predict(ROWS))
    expected = pipeline.predict_proba(ROWS).astype(np.float32)
    np.testing.assert_array_equal(answers["probabilities"], expected)


def test_the_graph_answers_as_scikit_learn_does_and_roundings_stay_beside_it(
    tmp_path: Path,
) -> None:
    forest = RandomForestClassifier(10, random_state=0).fit(ROWS, CLASSES)
    model = frontends.load(saved(tmp_path, forest))
    model.capture(model.captures[0], tmp_path)
    graph = onnx.load(tmp_path / "model.onnx")
    got, want = onnx_runtime.run(graph, {"features": ROWS}), model.run({"features": ROWS})
    np.testing.assert_array_equal(got["label"], want["label"])
    np.testing.assert_allclose(got["probabilities"], want["probabilities"], atol=1e-6)
    assert model.roundings == (Rounding.DOUBLE, Rounding.OPERANDS)
    moved = model.run({"features": ROWS}, rounding=Rounding.OPERANDS)["probabilities"]
    off = np.abs(moved - want["probabilities"]).max()
    assert 0 < off < 1e-5


def test_classes_with_names_give_probabilities_alone() -> None:
    named = LogisticRegression().fit(ROWS, NAMED)
    assert list(asked(named)) == ["probabilities"]
    with pytest.raises(UnsupportedModel, match="nothing that a tensor can hold"):
        asked(_unscored())


def _unscored() -> Any:
    from sklearn.ensemble import VotingClassifier

    parts = [("one", LogisticRegression()), ("two", LogisticRegression(C=0.1))]
    return VotingClassifier(parts).fit(ROWS, NAMED)


def test_without_probabilities_there_are_scores_and_regressors_predict() -> None:
    two = LinearSVC().fit(ROWS, CLASSES > 0)
    assert asked(two) == {"scores": "decision_function"}
    assert answer(two, ROWS)["scores"].shape == (60,)
    assert answer(Ridge().fit(ROWS, ROWS[:, 0]), ROWS)["prediction"].dtype == np.float32
    assert answer(Ridge().fit(ROWS, ROWS[:, :2]), ROWS)["prediction"].shape == (60, 2)


def test_what_is_no_fitted_estimator_is_refused_plainly(tmp_path: Path) -> None:
    assert "holds a dict, not a scikit-learn estimator" in str(
        refusal(saved(tmp_path, {"weights": ROWS}))
    )
    assert "not fitted" in str(refusal(saved(tmp_path, LogisticRegression())))
    (tmp_path / "model.joblib").write_bytes(b"<html>")
    assert "HTML" in str(refusal(SourceSpec("model.joblib", tmp_path)))


def test_an_estimator_of_another_version_is_refused(tmp_path: Path) -> None:
    old = LogisticRegression().fit(ROWS, CLASSES)
    state = old.__getstate__()
    assert "_sklearn_version" in state
    spec = saved(tmp_path, old)
    raw = (tmp_path / "model.joblib").read_bytes()
    now = state["_sklearn_version"].encode()
    assert raw.count(now) == 1
    (tmp_path / "model.joblib").write_bytes(raw.replace(now, b"0" + now[1:]))
    error = refusal(spec)
    assert "InconsistentVersionWarning" in str(error)
    assert "pip install scikit-learn==0" in error.hint


def test_an_estimator_that_skl2onnx_does_not_know_is_refused_by_its_name(tmp_path: Path) -> None:
    nearest = NearestCentroid().fit(ROWS, CLASSES)
    model = frontends.load(saved(tmp_path, nearest))
    with pytest.raises(UnsupportedModel, match="cannot carry NearestCentroid"):
        converted(nearest, model.signature, list(asked(nearest)))


@pytest.mark.parametrize("missing", ["joblib", "sklearn"])
def test_what_a_file_needs_and_is_not_installed_is_named_with_how_to_install_it(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = saved(tmp_path, Ridge().fit(ROWS, CLASSES))
    monkeypatch.setitem(sys.modules, missing, None)
    error = refusal(spec)
    assert isinstance(error, ToolMissing)
    assert f"needs {missing}, which is not installed" in str(error)
    assert 'pip install "deploy-targets[sklearn]"' in error.hint


def test_without_skl2onnx_it_is_missing_and_no_estimator_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ridge = Ridge().fit(ROWS, ROWS[:, 0])
    model = frontends.load(saved(tmp_path, ridge))
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ToolMissing, match="needs skl2onnx, which is not installed") as caught:
        converted(ridge, model.signature, list(asked(ridge)))
    assert 'pip install "deploy-targets[sklearn]"' in caught.value.hint


def test_a_number_between_two_categories_is_none_of_them(tmp_path: Path) -> None:
    rows = np.array([[0, 3], [1, 3], [2, 4], [1, 4]], np.float32)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(rows)
    pipeline = make_pipeline(encoder, Ridge()).fit(rows, [1, 2, 3, 4])
    model = frontends.load(saved(tmp_path, pipeline))
    graph = converted(pipeline, model.signature, list(asked(pipeline)))
    asked_of = {"features": np.array([[0.7, 3], [2.0, 3.5]], np.float32)}
    (got,) = onnx_runtime.run(graph, {graph.graph.input[0].name: asked_of["features"]}).values()
    np.testing.assert_allclose(got, model.run(asked_of)["prediction"], rtol=1e-6)


def test_equal_leaves_of_a_forest_stray_together_and_single_trees_keep_what_is_exact() -> None:
    leaves, draw = np.full(50, 0.01, np.float32), np.random.default_rng(0)
    moved = _of_leaves(leaves, 100, draw)
    assert len(set(moved)) == 1
    assert abs(moved[0]) > 10
    assert not _of_leaves(np.array([3, 0.5], np.float32), 1, draw).any()
    assert _of_leaves(leaves, 1, draw).all()


CODE = """
import joblib, pathlib
model = joblib.load(pathlib.Path(__file__).with_name("model.joblib"))
def pipeline():
    return model
"""


def test_code_gives_an_estimator_by_name_or_by_function_and_is_recognised(
    tmp_path: Path, workspace: Workspace
) -> None:
    saved(tmp_path, Ridge().fit(ROWS, ROWS[:, 0]))
    (tmp_path / "train.py").write_text(CODE)
    for name in ("model", "pipeline"):
        spec = SourceSpec(f"train.py:{name}", tmp_path)
        model = frontends.load(spec, workspace)
        assert model.signature.outputs == (TensorSpec("prediction", "float32", ("batch",)),)
        assert model.witness.incomplete == ""
        assert frontends.recall(spec, workspace) == model.digest
    saved(tmp_path, Ridge(alpha=2).fit(ROWS, ROWS[:, 0]))
    assert frontends.recall(spec, workspace) is None


STATE = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from deploy_targets.frontends.sklearn_state import state_of
rows = np.random.default_rng(0).normal(size=(60, 4))
forest = RandomForestClassifier(5, random_state=0).fit(rows, rows[:, 0] > 0)
print(state_of(forest).sha.hexdigest())
"""


def test_the_digest_is_the_same_in_every_process_and_another_after_a_change() -> None:
    command = [sys.executable, "-c", STATE]
    there = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    rows = np.random.default_rng(0).normal(size=(60, 4))

    def here(seed: int) -> str:
        forest = RandomForestClassifier(5, random_state=seed).fit(rows, rows[:, 0] > 0)
        return str(state_of(forest).sha.hexdigest())

    assert there == here(0) != here(1)
    ridge = Ridge().fit(ROWS, ROWS[:, 0])
    before = state_of(ridge).sha.hexdigest()
    ridge.coef_[0] = np.nextafter(ridge.coef_[0], np.inf)
    assert state_of(ridge).sha.hexdigest() != before
