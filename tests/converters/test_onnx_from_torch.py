"""The exporters on models that set traps, at sizes that no export saw."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from deploy_targets import frontends
from deploy_targets.converters import onnx_from_torch
from deploy_targets.errors import ConversionFailed
from deploy_targets.frontends import LoadedModel
from deploy_targets.frontends.signature import probe
from deploy_targets.integrations import worker
from deploy_targets.records import Capture, Dialect
from deploy_targets.testing import zoo
from tests.frontends.test_exported import write_program

EXPORTS = (
    ("three_inputs", "dynamo"),
    ("internal", "dynamo"),
    ("internal", "legacy"),
    ("recurrent", "torch.export"),
    ("recurrent", "legacy"),
    ("crop", "dynamo"),
    ("crop", "legacy"),
    ("reshapes", "dynamo"),
    ("burns_in", "dynamo"),
    ("nested", "legacy"),
    ("program", "dynamo"),
    ("program", "legacy"),
    ("head", "dynamo"),
    ("head", "legacy"),
    ("stranger", "legacy"),
)


@dataclasses.dataclass(frozen=True)
class Exported:
    models: Mapping[str, LoadedModel]
    folder: Path
    problems: Mapping[str, str]

    def graph(self, name: str, how: str) -> Path:
        assert self.problems[f"{name}-{how}"] == ""
        return self.folder / f"{name}-{how}" / "model.onnx"

    def distance(self, name: str, how: str, **sizes: int) -> float:
        """The largest difference from the original; infinite for another shape or a failure."""
        model = self.models[name]
        inputs = probe(model.signature.inputs, sizes)
        found = run(self.graph(name, how), inputs)
        return max(apart(want, found.get(key)) for key, want in model.run(inputs).items())


def run(path: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(path, options)
    names = [output.name for output in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))
    except Exception:
        return {}


def apart(want: np.ndarray, got: np.ndarray | None) -> float:
    if got is None or (got.shape, got.dtype) != (want.shape, want.dtype):
        return float("inf")
    return float(np.abs(want.astype(np.float64) - got.astype(np.float64)).max(initial=0))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("exports")
    specs = {**zoo.SPECS, "head": zoo.write(folder / "here")}
    specs["program"] = write_program(folder)
    models = {name: frontends.load(specs[name]) for name in dict(EXPORTS) if name in specs}
    # Weights that the child cannot find again, as of a model that draws them without a seed.
    models["stranger"] = dataclasses.replace(models["internal"])
    jobs = []
    for name, how in EXPORTS:
        model = models[name]
        dialect = Dialect.EXPORTED if how == "torch.export" else Dialect.ONNX
        jobs.append(
            onnx_from_torch.arguments(
                model.spec,
                model.signature,
                Capture(dialect, how),
                folder / f"{name}-{how}",
                "other weights" if name == "stranger" else model.weights,
            )
        )
    said = worker.call(f"{__package__}.many:export_many", {"jobs": jobs}, who="the exporters")
    keys = [f"{name}-{how}" for name, how in EXPORTS]
    return Exported(models, folder, dict(zip(keys, said, strict=True)))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_model_of_three_inputs_is_right_at_every_batch(exported: Exported, batch: int) -> None:
    assert exported.distance("three_inputs", "dynamo", batch=batch) < 1e-6


@pytest.mark.parametrize(("batch", "time"), [(1, 2), (2, 24), (5, 7)])
def test_sizes_multiplied_in_the_model_stay_dynamic(
    exported: Exported, batch: int, time: int
) -> None:
    assert exported.distance("reshapes", "dynamo", batch=batch, time=time) < 1e-6


@pytest.mark.parametrize("how", ["dynamo", "legacy"])
def test_an_output_named_like_an_internal_value_makes_a_valid_graph(
    exported: Exported, how: str
) -> None:
    path = exported.graph("internal", how)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert [o.name for o in onnx.load(path).graph.output] == ["relu", "linear"]
    assert exported.distance("internal", how, batch=3) < 1e-6


def test_torch_export_refuses_a_recurrent_time_axis_and_the_legacy_exporter_takes_it(
    exported: Exported,
) -> None:
    assert exported.problems["recurrent-torch.export"] == "UserError"
    assert exported.distance("recurrent", "legacy", batch=2, time=13) < 1e-6


def test_a_crop_computed_from_the_shape_is_burnt_in_by_tracing_and_not_by_dynamo(
    exported: Exported,
) -> None:
    assert exported.distance("crop", "dynamo", batch=2, time=17) < 1e-6
    # Silent, so only a size unseen at export shows it.
    assert exported.distance("crop", "legacy", batch=2, time=17) == float("inf")


def test_an_axis_that_dynamo_gives_up_on_is_named(exported: Exported) -> None:
    assert "ConversionFailed" in exported.problems["burns_in-dynamo"]
    assert "time = 4 burnt in (input x)" in exported.problems["burns_in-dynamo"]


@pytest.mark.parametrize("how", ["dynamo", "legacy"])
def test_an_exported_program_becomes_onnx_too(exported: Exported, how: str) -> None:
    assert exported.distance("program", how, x_dim_0=5) < 1e-6


def test_nested_outputs_keep_their_names_and_types(exported: Exported) -> None:
    names = [o.name for o in onnx.load(exported.graph("nested", "legacy")).graph.output]
    assert names == ["corner_low", "corner_high", "levels_0", "levels_1_0", "positive", "count"]
    assert exported.distance("nested", "legacy", batch=4) < 1e-6


def test_inputs_and_axes_bear_the_models_names(exported: Exported) -> None:
    inputs = onnx.load(exported.graph("three_inputs", "dynamo")).graph.input
    assert [value.name for value in inputs] == ["image", "token", "use"]
    assert {value.type.tensor_type.shape.dim[0].dim_param for value in inputs} == {"batch"}


def test_weights_that_change_with_each_load_are_refused(exported: Exported) -> None:
    problem = exported.problems["stranger-legacy"]
    assert problem.startswith("UnsupportedModel")
    assert "other weights each time" in problem


@pytest.mark.parametrize("how", ["dynamo", "legacy"])
def test_bytes_are_the_same_in_another_folder_and_another_process(
    exported: Exported, tmp_path: Path, how: str
) -> None:
    model = frontends.load(zoo.write(tmp_path / "somewhere" / "else"))
    model.capture(Capture(Dialect.ONNX, how), tmp_path)
    assert model.digest == exported.models["head"].digest
    assert (tmp_path / "model.onnx").read_bytes() == exported.graph("head", how).read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "model.onnx").read_bytes()


@pytest.mark.parametrize("how", ["dynamo", "legacy"])
def test_lines_of_source_are_kept_beside_the_graph(exported: Exported, how: str) -> None:
    path = exported.graph("head", how)
    sources = json.loads((path.parent / "sources.json").read_text())
    nodes = {node.name for node in onnx.load(path).graph.node}
    assert set(sources) <= nodes
    layer = next(found for found in sources.values() if found.get("module") == "fc")
    assert layer["line"].startswith("layers.py:12")


def test_an_exporter_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    model = frontends.load(zoo.SPECS["internal"], timeout=0.2)
    with pytest.raises(ConversionFailed, match=r"the dynamo exporter took longer than 0.2 s"):
        model.capture(Capture(Dialect.ONNX, "dynamo"), tmp_path)
    assert not (tmp_path / "model.onnx").exists()
