"""LiteRT.js as the runtime: a .tflite of a PyTorch model, judged in a real browser."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from deploy_targets import pipeline, registry
from deploy_targets.errors import ConfigError, ConversionFailed, UnsupportedModel
from deploy_targets.integrations.chromium import Chromium
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, DynamicAxis, Graph, Prepared, Signature, TensorSpec
from deploy_targets.targets.web import litert
from deploy_targets.targets.web.runtimes import Order
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .browsing import browser, call, load, opened  # noqa: F401

FETCHED = """() => performance.getEntriesByType("resource")
  .map((entry) => entry.name.split("/").at(-1)).filter((name) => name.endsWith(".wasm"))"""
ROW = ("batch", 4)
PLAIN = Signature(
    (TensorSpec("x", "float32", ROW),),
    (TensorSpec("y", "float32", ROW),),
    (DynamicAxis("batch", 1, 16),),
    "batch",
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Three inputs of three datatypes, two outputs, a dynamic batch."""
    target = registry.load("web", {"runtime": "litert", "precompress": False})
    folder = tmp_path_factory.mktemp("litert") / "bundle"
    return pipeline.build(Job(zoo.SPECS["three_inputs"], target, folder), Workspace(), reuse=False)


def prepared(signature: Signature, folder: Path = Path()) -> Prepared:
    graph = Graph(Dialect.EXPORTED, folder, "0" * 64, "torch.export")
    return Prepared("model", signature, graph, RECIPES["fp32"])


def test_every_lane_passes_with_litert(outcome: Outcome) -> None:
    rows = {row.lane: row for row in outcome.report.rows}
    assert {lane: row.verdict for lane, row in rows.items()} == {
        "wasm-1t": Verdict.PASS,
        "wasm-2t": Verdict.PASS,
    }
    assert "litert 2.5.3" in rows["wasm-1t"].where
    assert "wasm, 2 threads " in rows["wasm-2t"].where


def test_batches_are_entries_and_what_was_narrowed_is_said(outcome: Outcome) -> None:
    manifest = outcome.bundle.manifest
    assert [entry.name for entry in manifest.entries] == ["b1", "b8"]
    assert "token is int64 in the model and int32 in the .tflite" in manifest.notes
    assert "batches are made of calls with batch = 1 or 8" in manifest.notes
    assert manifest.tools["litert-torch"] == "0.10.0"


@pytest.mark.parametrize(("threads", "file"), [(1, "internal"), (2, "threaded_internal")])
def test_a_visit_downloads_one_wasm(
    outcome: Outcome,
    browser: Chromium,  # noqa: F811
    threads: int,
    file: str,
) -> None:
    with opened(browser, outcome.bundle.path) as (tab, base):
        load(tab, base, threads=threads)
        assert call(tab, FETCHED) == [f"litert_wasm_{file}.wasm"]


def test_every_file_of_the_bundle_is_one_that_a_browser_may_need(outcome: Outcome) -> None:
    about = json.loads((outcome.bundle.path / "model.json").read_text())
    runtime = {path.name for path in outcome.bundle.path.glob("runtime.*/*")}
    assert runtime == set(litert.WASM.values())
    assert set(litert.WASM) | {"model", "worker"} == set(about["files"])


def test_an_output_that_cannot_be_joined_is_known_beforehand() -> None:
    whole = dataclasses.replace(PLAIN, outputs=(TensorSpec("mean", "float32", (4,)),))
    [problem] = litert.problems(prepared(whole))
    assert problem.startswith("mean has no axis batch")
    assert litert.problems(prepared(PLAIN)) == ()


def test_a_datatype_that_no_tflite_holds_is_known_beforehand() -> None:
    half = dataclasses.replace(PLAIN, inputs=(TensorSpec("x", "bfloat16", ROW),))
    [problem] = litert.problems(prepared(half))
    assert "x is bfloat16" in problem


def test_a_conversion_has_the_time_that_the_user_gives_it(tmp_path: Path) -> None:
    short = dataclasses.replace(prepared(PLAIN, tmp_path), timeout=0.2)
    with pytest.raises(ConversionFailed, match=r"took longer than 0\.2 s"):
        litert.write(Order(short, {}, False, tmp_path, Workspace()))


def test_steps_that_are_a_graph_are_refused(tmp_path: Path) -> None:
    graphs = {"before-0": tmp_path / "before-0.onnx"}
    order = Order(prepared(PLAIN), graphs, False, tmp_path, Workspace(tmp_path / "workspace"))
    with pytest.raises(UnsupportedModel, match=r"LiteRT\.js cannot run before-0\.onnx"):
        litert.write(order)


@pytest.mark.parametrize(
    ("sizes", "why"), [({"tiem": 8}, "no axis 'tiem'"), ({"T": 99}, "T = 99 is not within 1..16")]
)
@pytest.mark.parametrize("runtime", ["litert", "auto"])
def test_sizes_that_cannot_be_are_refused_before_anything_starts(
    sizes: dict[str, int], why: str, runtime: str
) -> None:
    spec = TensorSpec("x", "float32", ("B", "T"))
    axes = (DynamicAxis("B", 1, 4), DynamicAxis("T", 1, 16))
    signature = Signature((spec,), (spec,), axes, batch="B")
    with pytest.raises(ConfigError, match=re.escape(why)):
        registry.load("web", {"runtime": runtime, "sizes": sizes}).check(prepared(signature))
