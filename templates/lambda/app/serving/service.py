"""A Request becomes a Response: here the contract is kept, timed and logged, for both flavors.

To add a route, name it in routes.py, answer it in `_answer`, and describe it for /openapi.json in
flavors/fastapi/schemas.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from serving import npy, protocol, raw, routes, words
from serving.checks import check_all, check_alone
from serving.limits import answer_size, too_large
from serving.messages import Request, Response
from serving.metrics import Clock, log_failure, log_request
from serving.model import Model
from serving.refusals import Refused, response_to
from serving.routes import Route, route_of
from serving.steps import Steps

if TYPE_CHECKING:
    import numpy as np

Page = Callable[[], bytes]


class Server(NamedTuple):
    """Who answers, as the protocol's metadata says it."""

    name: str
    version: str
    platform: str = "onnxruntime_onnx"


def _function() -> Server:
    """A function on Lambda, with the ONNX Runtime that its model was loaded by."""
    import onnxruntime

    return Server("deploy-target-lambda", onnxruntime.__version__)


class Service:
    """Answers every route. `pages` gives the bytes of "openapi" and "docs" when asked."""

    def __init__(
        self, model: Model, pages: Mapping[str, Page], server: Server | None = None
    ) -> None:
        self._model = model
        self._who = server or _function()
        self._about = model.description
        self._pages = pages
        self._cold = True

    def handle(self, request: Request) -> Response:
        """The answer to a request. Never raises: what went wrong is in the answer or the log."""
        clock, facts = Clock(), {"route": "none"}
        try:
            response = self._answered(request, clock, facts)
        except Refused as refused:
            response = response_to(refused)
            facts["error"] = str(refused)
        except Exception:
            response = failed(request.id)
        facts = {**facts, "status": response.status, "cold": self._cold}
        self._cold = False
        log_request(
            clock,
            {
                "request_id": request.id,
                "model": self._about.name,
                "version": self._about.version,
                **facts,
            },
        )
        return _finished(response, clock)

    def _answered(self, request: Request, clock: Clock, facts: dict) -> Response:
        _check_size_in(request)
        route = route_of(request.path, request.method, self._about)
        facts["route"] = route.name
        response = self._answer(route, request, clock)
        _check_size_out(request, response)
        return response

    def _answer(self, route: Route, request: Request, clock: Clock) -> Response:
        match route:
            case routes.INFER:
                return self._infer(request, clock)
            case routes.PREDICT:
                return self._predict(request, clock)
            case routes.LIVE:
                return _json({"live": True})
            case routes.READY:
                return _json({"ready": True})
            case routes.MODEL_READY:
                return _json({"name": self._about.name, "ready": True})
            case routes.SERVER:
                return self._server()
            case routes.MODEL:
                return self._metadata()
            case routes.OPENAPI:
                return Response(200, _JSON, self._pages["openapi"]())
        return Response(200, {"content-type": "text/html; charset=utf-8"}, self._pages["docs"]())

    def _server(self) -> Response:
        about = {"name": self._who.name, "version": self._who.version}
        return _json({**about, "extensions": ["binary_tensor_data"]})

    def _metadata(self) -> Response:
        about = self._about
        return _json(
            {
                "name": about.name,
                "versions": [about.version],
                "platform": self._who.platform,
                "inputs": [tensor.metadata() for tensor in about.inputs.values()],
                "outputs": [tensor.metadata() for tensor in about.outputs.values()],
                **({"parameters": {"predict": about.steps.metadata()}} if about.steps else {}),
            }
        )

    def _infer(self, request: Request, clock: Clock) -> Response:
        with clock.span("decode"):
            inference = protocol.read(request, self._about)
        with clock.span("run"):
            outputs = self._run(inference.inputs, [wanted.name for wanted in inference.outputs])
        with clock.span("encode"):
            return protocol.write(inference, outputs, self._about)

    def _predict(self, request: Request, clock: Clock) -> Response:
        if raw.is_for(request, self._about):
            return self._in_words(request, clock)
        with clock.span("decode"):
            form = npy.form_of(request, self._about)
            inputs = npy.read(request, self._about)
        with clock.span("run"):
            outputs = self._run(inputs, list(self._about.outputs))
        with clock.span("encode"):
            return npy.write(form, outputs)

    def _in_words(self, request: Request, clock: Clock) -> Response:
        about, around = self._about, self._model.around
        with clock.span("decode"):
            form = words.form_of(request, about.steps)
            given = raw.read(request, about)
            values, frames = around.decoded(given.raw)
            _check_frames(frames, about.steps)
        with clock.span("before"):
            inputs = {**given.tensors, **around.before(values)}
            check_all(inputs, about)
        with clock.span("run"):
            outputs = self._run(inputs, list(about.outputs))
        check_alone(outputs, about.steps.alone)
        with clock.span("after"):
            answer = around.after(outputs, frames)
        with clock.span("encode"):
            return words.write(form, about.steps, answer, next(iter(frames.values()), {}))

    def _run(
        self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """INVALID_ARGUMENT is what ONNX Runtime says of a value that a node cannot take, such as
        an index out of range; whatever else goes wrong in a graph is not the sender's mistake.
        """
        try:
            return self._model.run(inputs, outputs)
        except Exception as problem:
            if type(problem).__name__ != "InvalidArgument":
                raise
            said = reason_in(str(problem))
            raise Refused(422, f"the model cannot take these values{said}") from None


def _check_frames(frames: Mapping[str, dict], steps: Steps) -> None:
    if missing := sorted(steps.followed - set(frames)):
        raise Refused(
            406,
            f"the answer in words is about the raw {', '.join(missing)} itself: send that, or "
            "leave out Accept and get the model's own tensors",
        )


def reason_in(message: str) -> str:
    """What ONNX Runtime gives as its reason, unless that holds the path of a source file."""
    _, _, said = message.partition("Status Message: ")
    return "" if not said or "/" in said else f": {said.strip()}"


_JSON = {"content-type": "application/json"}


def _json(content: object) -> Response:
    return Response(200, _JSON, json.dumps(content, separators=(",", ":")).encode())


def failed(request_id: str) -> Response:
    """The answer to a request that failed for no fault of its own; call it where it is caught."""
    import traceback

    log_failure(request_id, traceback.format_exc())
    return response_to(Refused(500, f"internal error; the log has it under request {request_id!r}"))


def _check_size_in(request: Request) -> None:
    limit = request.limit
    if request.carried > limit.request:
        advice = "send fewer rows in a call, binary tensors instead of JSON, or a gzip body"
        raise Refused(413, too_large("the request", request.carried, limit.request, limit, advice))


def _check_size_out(request: Request, response: Response) -> None:
    limit = request.limit
    size = answer_size(response.headers, response.body)
    if size > limit.answer:
        advice = "ask for fewer rows or fewer outputs in a call, or for binary tensors, not JSON"
        raise Refused(413, too_large("the answer", size, limit.answer, limit, advice))


def _finished(response: Response, clock: Clock) -> Response:
    headers = {**response.headers, "content-length": str(len(response.body))}
    if clock.spans:
        headers["server-timing"] = clock.header()
    return response._replace(headers=headers)
