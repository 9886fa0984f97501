"""tritonclient from PyPI is a client of the function, without a line of ours."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.templates.conftest import DATATYPES, Context, Function, v2_event


def gateway(function: Function) -> type[BaseHTTPRequestHandler]:
    """What API Gateway does: each HTTP request becomes an event, each result an answer."""

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = v2_event(self.command, self.path, body, dict(self.headers.items()))
            result = function.handler(sent, Context())
            encoded, text = result["isBase64Encoded"], result["body"]
            self.send_response(result["statusCode"])
            for name, value in result["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(base64.b64decode(text) if encoded else text.encode())

        do_GET = do_POST = _carry

        def log_message(self, *_: object) -> None:
            """Keeps the test's output quiet."""

    return Gateway


@contextmanager
def served(function: Function) -> Iterator[triton.InferenceServerClient]:
    server = HTTPServer(("127.0.0.1", 0), gateway(function))
    loop = asyncio.new_event_loop()

    def serve() -> None:
        # Mangum asks for this thread's event loop, which only a main thread has by itself.
        asyncio.set_event_loop(loop)
        server.serve_forever(poll_interval=0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    client = triton.InferenceServerClient(f"127.0.0.1:{server.server_port}")
    try:
        yield client
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()
        loop.close()


@pytest.fixture
def mixed_client(mixed: Function) -> Iterator[triton.InferenceServerClient]:
    with served(mixed) as client:
        yield client


@pytest.fixture
def datatypes_client(function: Any, flavor: str) -> Iterator[triton.InferenceServerClient]:
    with served(function("datatypes", flavor)) as client:
        yield client


@pytest.fixture
def single_client(single: Function) -> Iterator[triton.InferenceServerClient]:
    with served(single) as client:
        yield client


def given(name: str, datatype: str, array: Any, binary: bool) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), datatype)
    return tensor.set_data_from_numpy(array, binary_data=binary)


def three(binary: bool) -> list[triton.InferInput]:
    return [
        given("image", "FP32", np.full((2, 3), 0.25, np.float32), binary),
        given("ids", "INT64", np.array([3, 0]), binary),
        given("flag", "BOOL", np.array([True, False]), binary),
    ]


def extremes(datatype: str, rows: int) -> Any:
    """The least, the greatest and some other values of a datatype."""
    dtype = np.dtype(DATATYPES[datatype][1])
    if dtype.kind == "b":
        values: Any = [True, False, True, True]
    elif dtype.kind == "f":
        info = np.finfo(dtype)
        values = [info.min, info.max, info.smallest_subnormal, 1 / 3]
    else:
        values = [np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 7]
    return np.array(values, dtype).reshape(2, 2)[:rows]


def test_its_health_and_metadata_calls_are_answered(
    mixed_client: triton.InferenceServerClient,
) -> None:
    assert mixed_client.is_server_live()
    assert mixed_client.is_server_ready()
    assert mixed_client.is_model_ready("mixed")
    assert mixed_client.is_model_ready("mixed", "1")
    assert not mixed_client.is_model_ready("other")
    assert "binary_tensor_data" in mixed_client.get_server_metadata()["extensions"]
    about = mixed_client.get_model_metadata("mixed", "1")
    assert [tensor["name"] for tensor in about["inputs"]] == ["image", "ids", "flag"]


@pytest.mark.parametrize("send", [True, False], ids=["binary-in", "json-in"])
@pytest.mark.parametrize("get", [True, False, None], ids=["binary-out", "json-out", "default-out"])
def test_several_inputs_and_outputs_in_every_form(
    mixed_client: triton.InferenceServerClient, send: bool, get: bool | None
) -> None:
    names = ["seen", "score"]
    wanted = get if get is None else [triton.InferRequestedOutput(n, get) for n in names]
    result = mixed_client.infer(
        "mixed", three(send), outputs=wanted, request_id="r1", model_version="1"
    )
    assert result.get_response()["id"] == "r1"
    np.testing.assert_array_equal(result.as_numpy("score"), [[1.25] * 3, [0.25] * 3])
    np.testing.assert_array_equal(result.as_numpy("seen"), [3, 0])
    assert result.as_numpy("seen").dtype == np.int64


def test_a_subset_of_the_outputs_is_all_that_comes(
    mixed_client: triton.InferenceServerClient,
) -> None:
    wanted = [triton.InferRequestedOutput("seen")]
    result = mixed_client.infer("mixed", three(True), outputs=wanted)
    assert result.as_numpy("score") is None
    assert result.as_numpy("seen").tolist() == [3, 0]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("rows", [2, 0])
def test_every_datatype_comes_back_bit_for_bit(
    datatypes_client: triton.InferenceServerClient, binary: bool, rows: int
) -> None:
    sent = {name: extremes(name, rows) for name in DATATYPES}
    inputs = [given(f"in_{name}", name, array, binary) for name, array in sent.items()]
    outputs = [triton.InferRequestedOutput(f"out_{name}", binary) for name in sent]
    result = datatypes_client.infer("datatypes", inputs, outputs=outputs)
    for name, array in sent.items():
        got = result.as_numpy(f"out_{name}")
        assert got.shape == (rows, 2)
        assert got.tobytes() == array.tobytes()
        assert result.get_output(f"out_{name}")["datatype"] == name


def test_non_finite_numbers_come_back_as_numpy_in_both_forms(
    single_client: triton.InferenceServerClient,
) -> None:
    array = np.array([np.nan, np.inf, -np.inf, 1 / 3], np.float32)
    for binary in (True, False):
        outputs = [triton.InferRequestedOutput("y", binary)]
        result = single_client.infer("single", [given("x", "FP32", array, True)], outputs=outputs)
        np.testing.assert_array_equal(result.as_numpy("y"), array)


def test_it_writes_bare_nan_in_json_and_is_told_to_send_binary(
    single_client: triton.InferenceServerClient,
) -> None:
    array = np.array([np.nan], np.float32)
    with pytest.raises(InferenceServerException, match="as binary data") as refused:
        single_client.infer("single", [given("x", "FP32", array, False)])
    assert refused.value.status() == "422"


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_it_may_compress_requests_and_accept_compressed_answers(
    mixed_client: triton.InferenceServerClient, algorithm: str
) -> None:
    result = mixed_client.infer(
        "mixed",
        three(True),
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    assert result.as_numpy("seen").tolist() == [3, 0]


def test_asynchronous_calls_work(mixed_client: triton.InferenceServerClient) -> None:
    pending = [mixed_client.async_infer("mixed", three(True)) for _ in range(3)]
    assert [call.get_result().as_numpy("seen").tolist() for call in pending] == [[3, 0]] * 3


def test_it_shows_the_message_of_a_refusal(mixed_client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="missing inputs: flag, image") as refused:
        mixed_client.infer("mixed", three(True)[1:2])
    assert refused.value.status() == "422"


def test_what_only_triton_has_is_not_there(mixed_client: triton.InferenceServerClient) -> None:
    for ask in (
        lambda: mixed_client.get_model_config("mixed"),
        lambda: mixed_client.get_inference_statistics("mixed"),
        mixed_client.get_model_repository_index,
        mixed_client.get_trace_settings,
        mixed_client.get_log_settings,
        mixed_client.get_system_shared_memory_status,
        lambda: mixed_client.load_model("mixed"),
    ):
        with pytest.raises(InferenceServerException, match="there is no route") as refused:
            ask()
        assert refused.value.status() == "404"
