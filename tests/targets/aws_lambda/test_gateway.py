"""A served bundle: real HTTP, a real client of the protocol, the function in its sandbox."""

from __future__ import annotations

import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton

from deploy_targets import pipeline, registry
from deploy_targets.bundle import read_golden
from deploy_targets.errors import ConfigError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.compare import relative_l2
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.targets.aws_lambda.gateway import listening
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace


@pytest.fixture(scope="module", params=["fastapi", "lean"])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A bundle of each flavor, built and verified."""
    home = tmp_path_factory.mktemp("served")
    spec = SourceSpec(source=str(zoo.convnet(home / "convnet.onnx")), base=home)
    target = registry.load("lambda", {"flavor": request.param, "memory_mb": 512})
    return pipeline.build(Job(spec, target, home / "out"), Workspace(), reuse=False)


@pytest.fixture(scope="module")
def url(outcome: Outcome) -> Iterator[str]:
    """Where it is served while the tests run."""
    with listening(outcome.bundle.path, 0, Workspace()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_each_flavor_passes(outcome: Outcome) -> None:
    assert outcome.verdict == "pass"
    (row,) = outcome.report.rows
    assert "Runtime Interface Emulator" in row.where
    assert row.seconds is not None


def test_tritons_client_gets_the_originals_answers(outcome: Outcome, url: str) -> None:
    client = triton.InferenceServerClient(url)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("convnet")
    asked = 0
    for check in read_golden(outcome.bundle):
        image = check.call.inputs["image"]
        given = triton.InferInput("image", image.shape, "FP32")
        given.set_data_from_numpy(image)
        answer = client.infer("convnet", [given])
        for name, expected in check.expected.items():
            assert relative_l2(expected, answer.as_numpy(name)) <= 1e-5
        asked += 1
    assert asked >= 3
    client.close()


def test_a_numpy_file_is_answered_with_numpy_files(outcome: Outcome, url: str) -> None:
    check = next(iter(read_golden(outcome.bundle)))
    body = io.BytesIO()
    np.save(body, check.call.inputs["image"])
    with urllib.request.urlopen(f"http://{url}/predict", body.getvalue()) as response:
        answers = np.load(io.BytesIO(response.read()))
        assert relative_l2(check.expected["logits"], answers["logits"]) <= 1e-5


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/v2/models/other/infer", b"{}", 404, "other"),
        ("/v2/models/convnet/infer", b"not json", 422, "JSON"),
        ("/v2/models/convnet/infer", b'{"inputs": []}', 422, "image"),
        ("/predict", b"x" * 7_000_000, 413, "6291456"),
        ("/predict", b"x" * 11_000_000, 413, "10,485,760"),
        ("/nowhere", b"", 404, "/nowhere"),
    ],
)
def test_a_bad_request_is_refused_in_words(
    url: str, path: str, body: bytes, status: int, said: str
) -> None:
    request = urllib.request.Request(f"http://{url}{path}", body, method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    with error.value as response:
        text = json.loads(response.read())["error"]
    assert error.value.code == status
    assert said in text
    assert "/var/task" not in text
    assert "Traceback" not in text


def test_its_description_is_served(url: str) -> None:
    with urllib.request.urlopen(f"http://{url}/openapi.json") as response:
        paths = json.loads(response.read())["paths"]
    assert "/v2/models/convnet/infer" in paths
    with urllib.request.urlopen(f"http://{url}/docs") as response:
        assert b"swagger" in response.read().lower()


def test_a_port_that_is_taken_is_said(outcome: Outcome, url: str) -> None:
    taken = int(url.rpartition(":")[2])
    with (
        pytest.raises(ConfigError, match=f"port {taken} cannot be had"),
        listening(Path(outcome.bundle.path), taken, Workspace()),
    ):
        pass
