"""The Open Inference Protocol on a port: the handlers of `protocol/`, around what was proven.

They are the very files that answer in a function on Lambda, so a client of the one is a client of
the other. They need Python 3.10, FastAPI and uvicorn (requirements-serve.txt).
"""

from __future__ import annotations

import os
import socket
import sys

from . import ort, steps
from .errors import EdgeError, Unusable

PROTOCOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "protocol")
SERVER = "deploy-target-edge"
NAMED = {"float": "FP", "uint": "UINT", "int": "INT"}
BYTES = 256 * 1024 * 1024
"""What a request, and an answer, may hold."""
INSTALL = "pip install --no-deps --require-hashes -r requirements-serve.txt"


def serve(folder, runtime, host, port):
    """Answers until it is interrupted. Raises EdgeError where the port cannot be opened."""
    import uvicorn

    listening = _listening(host, port)
    api = application(folder, runtime)
    name, at = folder.manifest["name"], listening.getsockname()[1]
    print(f"{runtime.where}: http://{host}:{at}/v2/models/{name}", flush=True)
    uvicorn.Server(uvicorn.Config(api, log_level="warning", access_log=False)).run([listening])
    return 0


def _listening(host, port):
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        raise EdgeError(
            f"{host}:{port} cannot be listened on: {error}", "choose another --host or --port"
        ) from None


def ready():
    """Raises Unusable where this Python cannot serve: before an engine is built for nothing."""
    if not os.path.isdir(PROTOCOL) or sys.version_info < (3, 10):
        raise Unusable(
            "this bundle is for a system whose Python is too old to serve",
            "call the model by `infer`",
        )
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise Unusable(f"{error.name} cannot be imported, so nothing is served", INSTALL) from None


def application(folder, runtime):
    """The ASGI application of one model, which `runtime` answers."""
    if PROTOCOL not in sys.path:
        sys.path.insert(0, PROTOCOL)
    from contract import application as described
    from contract import pages
    from serving.model import Model
    from serving.service import Server, Service

    about = description(folder)
    held = []
    api = described(about, _answering(held))
    tensorrt = runtime.where.startswith("TensorRT")
    platform = "tensorrt_plan" if tensorrt else "onnxruntime_onnx"
    model = Model(about, _Session(runtime), _around(about, folder))
    held.append(Service(model, pages(api), Server(SERVER, runtime.where, platform)))
    return api


def description(folder):
    """The model, as the protocol has it."""
    from serving.model import Description
    from serving.steps import read

    said = folder.signature
    return Description(
        folder.manifest["name"],
        "1",
        {spec["name"]: _tensor(spec) for spec in said["inputs"]},
        {spec["name"]: _tensor(spec) for spec in said["outputs"]},
        {axis["name"]: (axis["minimum"], axis["maximum"]) for axis in said["axes"]},
        folder.model_digest,
        read(folder.file(steps.FILE)),
    )


def _tensor(spec):
    from serving.model import Tensor

    kind = spec["dtype"].rstrip("0123456789")
    datatype = NAMED.get(kind, "BOOL") + spec["dtype"][len(kind) :]
    shape = tuple(dim if isinstance(dim, int) else -1 for dim in spec["shape"])
    return Tensor(spec["name"], datatype, shape, tuple(spec["shape"]))


def _around(about, folder):
    from serving.staged import Around

    if about.steps is None:
        return None
    module = ort.imported()

    def session(path):
        return module.InferenceSession(path, providers=[ort.CPU])

    return Around(about.steps, folder.path, session)


class _Session:
    """What was proven, asked as the handlers ask ONNX Runtime."""

    def __init__(self, runtime):
        self._runtime = runtime

    def run(self, names, inputs):
        """The named outputs, in that order. Raises what the runtime raises."""
        found = self._runtime.run(inputs)
        return [found[name] for name in names]


def _answering(held):
    """What takes each request to the service, one at a time: the device has one GPU."""
    from fastapi import Response
    from serving.limits import Limit
    from serving.messages import Request

    limit = Limit("this service", BYTES, BYTES, base64_counts=False)

    async def answer(http):
        body, size = bytearray(), 0
        async for chunk in http.stream():
            size += len(chunk)
            if size > BYTES:  # counted, and not kept
                body.clear()
            else:
                body += chunk
        headers = {name: ", ".join(http.headers.getlist(name)) for name in http.headers}
        asked = Request(
            http.method, http.scope["path"], headers, bytes(body), "", limit, carried=size
        )
        response = held[0].handle(asked)
        return Response(response.body, response.status, dict(response.headers))

    return answer
