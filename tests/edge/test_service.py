"""`serve`, started as on a board, and asked by a client that knows nothing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from deploy_targets import bundle as bundles
from deploy_targets.pipeline import Outcome
from tests.edge.conftest import NAME


def command(bundle: Path, home: Path, *asked: str) -> list[str]:
    return [sys.executable, "-m", NAME, "--bundle", str(bundle), "--engines", str(home), *asked]


@pytest.fixture(scope="module")
def port(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home = tmp_path_factory.mktemp("engines")
    started = subprocess.Popen(
        command(bundle, home, "serve", "--way", "cpu", "--port", "0"),
        cwd=bundle,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    said = started.stdout.readline()
    assert said.startswith("ONNX Runtime"), said
    yield int(said.partition("127.0.0.1:")[2].partition("/")[0])
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=30)


@pytest.fixture(scope="module")
def client(port: int) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(f"127.0.0.1:{port}")
    yield made
    made.close()


def test_a_client_of_the_protocol_gets_the_originals_answers(
    client: triton.InferenceServerClient, built: Outcome
) -> None:
    assert client.is_server_ready()
    assert client.is_model_ready("convnet")
    checks = list(bundles.read_golden(built.bundle))
    assert checks
    for check in checks:
        image = check.call.inputs["image"]
        given = triton.InferInput("image", list(image.shape), "FP32")
        given.set_data_from_numpy(image)
        found = client.infer("convnet", [given])
        for name, want in check.expected.items():
            np.testing.assert_allclose(found.as_numpy(name), want, rtol=1e-3, atol=1e-2)


def test_it_says_which_runtime_was_proven(client: triton.InferenceServerClient) -> None:
    about = client.get_server_metadata()
    assert about["name"] == "deploy-target-edge"
    assert about["version"].endswith("CPU")
    assert client.get_model_metadata("convnet")["platform"] == "onnxruntime_onnx"


def test_a_wrong_shape_is_refused_with_the_axis(client: triton.InferenceServerClient) -> None:
    image = np.zeros((9, 3, 8, 8), np.float32)
    given = triton.InferInput("image", list(image.shape), "FP32")
    given.set_data_from_numpy(image)
    with pytest.raises(InferenceServerException, match="axis 'B' must be 1 to 4, not 9"):
        client.infer("convnet", [given])


def test_what_is_too_large_is_refused_by_its_size(port: int, part: object) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict", data=bytes(256 * 1024 * 1024 + 1), method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as answer:
        assert answer.code == 413
        assert "this service" in json.loads(answer.read())["error"]


def test_its_pages_describe_the_model(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=30) as answer:
        assert "/v2/models/convnet/infer" in json.loads(answer.read())["paths"]


def test_a_port_that_is_taken_is_said(port: int, bundle: Path, tmp_path: Path) -> None:
    asked = command(bundle, tmp_path, "serve", "--way", "cpu", "--port", str(port))
    ran = subprocess.run(asked, cwd=bundle, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_it_serves_nothing_that_is_not_proven(bundle: Path, tmp_path: Path) -> None:
    asked = command(bundle, tmp_path, "serve", "--way", "ort-cuda", "--port", "0")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    ran = subprocess.run(
        asked, cwd=bundle, capture_output=True, text=True, check=False, env=environment
    )
    assert ran.returncode == 5
    assert "nothing runs the model as the original does" in ran.stderr
    assert "Traceback" not in ran.stderr
