"""How the function starts, what it imports, what it logs, and what it says of itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.templates.conftest import FLAVORS, ZOO, assemble, write_model


def started(folder: Path, code: str = "import app") -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in the artifact's folder."""
    command = [sys.executable, "-B", "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_lean_imports_no_framework(function: Any) -> None:
    code = "import app, sys; sys.stdout.write(' '.join(sys.modules))"
    ran = started(function("single", "lean").folder, code)
    assert ran.returncode == 0, ran.stderr
    loaded = {name.split(".")[0] for name in ran.stdout.split()}
    assert {"numpy", "onnxruntime", "serving"} <= loaded
    assert not loaded & {"fastapi", "starlette", "pydantic", "mangum", "asyncio", "zipfile"}


def test_serving_needs_only_numpy_and_onnxruntime(function: Any) -> None:
    """Each module of the package, one by one, with the frameworks made unimportable."""
    code = (
        "import sys, pathlib, importlib\n"
        "for name in ('fastapi', 'starlette', 'pydantic', 'mangum', 'ml_dtypes', 'onnx'):\n"
        "    sys.modules[name] = None\n"
        "for file in pathlib.Path('serving').glob('*.py'):\n"
        "    importlib.import_module(f'serving.{file.stem}')\n"
    )
    ran = started(function("single", "lean").folder, code)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def broken(tmp_path: Path, function: Any) -> Path:
    folder = tmp_path / "task"
    shutil.copytree(function("single", "lean").folder, folder)
    return folder


def refusal(folder: Path) -> str:
    ran = started(folder)
    assert ran.returncode != 0
    said = ran.stderr.splitlines()[-1]
    assert said.startswith("serving.model.ModelUnusable: ")
    assert str(folder) not in said
    return said


def test_a_missing_model_is_said_in_one_line(broken: Path) -> None:
    (broken / "model.onnx").unlink()
    assert "model.onnx is missing" in refusal(broken)


def test_a_damaged_model_is_said_in_one_line(broken: Path) -> None:
    (broken / "model.onnx").write_bytes(b"\0" * 100)
    assert "model.onnx cannot be loaded by ONNX Runtime" in refusal(broken)


def test_another_models_description_is_refused(broken: Path) -> None:
    stated = (broken / "model.json").read_text()
    write_model(ZOO["mixed"], broken)
    (broken / "model.json").write_text(stated)
    assert "do not belong together" in refusal(broken)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda stated: stated.pop("axes"), "model.json is not as the build writes it"),
        (lambda stated: stated["inputs"][0].update(datatype="BF16"), "'x' is BF16"),
        (lambda stated: stated["inputs"][0].update(datatype="FP64"), "do not belong together"),
    ],
)
def test_a_wrong_description_is_refused(broken: Path, change: Any, said: str) -> None:
    stated = json.loads((broken / "model.json").read_text())
    change(stated)
    (broken / "model.json").write_text(json.dumps(stated))
    assert said in refusal(broken)


def test_lambdas_runtime_shows_a_failed_start_without_a_stack_trace(function: Any) -> None:
    """It does so for an ImportError alone."""
    model = function("single", "lean").module("serving.model")
    assert issubclass(model.ModelUnusable, ImportError)


@pytest.mark.parametrize(
    ("memory", "threads"),
    [("128", 1), ("1769", 1), ("3538", 2), ("10240", 6), (None, 0), ("plenty", 0)],
)
def test_threads_follow_the_memory_of_the_function(
    function: Any, monkeypatch: pytest.MonkeyPatch, memory: str | None, threads: int
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", raising=False)
    if memory is not None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)
    assert function("single", "lean").module("serving.model").threads() == threads


def test_each_request_is_one_line_of_embedded_metrics(
    tmp_path: Path, flavor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.templates.conftest import load

    fresh = load(assemble(ZOO["single"], flavor, tmp_path / "task"))
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}
    for _ in range(2):
        fresh("POST", "/v2/models/single/infer", {"inputs": [tensor]})
    fresh("GET", "/v2/models/other")
    first, second, third = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    expected = {
        "request_id": "11111111-2222-3333-4444-555555555555",
        "model": "single",
        "version": "1",
        "route": "infer",
        "status": 200,
    }
    assert {key: first[key] for key in expected} == expected
    assert (first["cold"], second["cold"]) == (True, False)
    assert third["status"] == 404
    assert "other" in third["error"]
    metrics = first["_aws"]["CloudWatchMetrics"][0]
    names = [metric["Name"] for metric in metrics["Metrics"]]
    assert names == ["decode_ms", "run_ms", "encode_ms", "total_ms"]
    assert all(isinstance(first[name], float) for name in names)
    assert all(first[key] for keys in metrics["Dimensions"] for key in keys)
    assert first["decode_ms"] + first["run_ms"] + first["encode_ms"] <= first["total_ms"]


@pytest.mark.parametrize("model", sorted(ZOO))
def test_both_flavors_show_the_same_contract(function: Any, model: str) -> None:
    fastapi, lean = (function(model, flavor) for flavor in FLAVORS)
    for page, kind in (("/openapi.json", "application/json"), ("/docs", "text/html")):
        answers = [each("GET", page) for each in (fastapi, lean)]
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].body == answers[1].body
        assert all(answer.headers["content-type"].startswith(kind) for answer in answers)


def test_every_described_route_exists(mixed: Any) -> None:
    paths = mixed("GET", "/openapi.json").json()["paths"]
    assert len(paths) == 12
    for path, operations in paths.items():
        for method in operations:
            assert mixed(method.upper(), path).status in (200, 422)


def test_the_description_names_inputs_datatypes_and_shapes(mixed: Any) -> None:
    described = mixed("GET", "/openapi.json").json()
    infer = described["paths"]["/v2/models/mixed/infer"]["post"]
    schema = infer["requestBody"]["content"]["application/json"]["schema"]
    image = schema["properties"]["inputs"]["items"]["anyOf"][0]["properties"]
    assert image["name"] == {"const": "image"}
    assert image["datatype"] == {"const": "FP32"}
    batch, width = image["shape"]["prefixItems"]
    assert batch == {"title": "batch", "type": "integer", "minimum": 1, "maximum": 8}
    assert width == {"const": 3}
    assert set(infer["responses"]) == {"200", "404", "413", "422", "500"}


def test_the_page_finds_its_description_behind_a_stage_too(single: Any) -> None:
    assert "url: 'openapi.json'" in single("GET", "/docs").body.decode()
