"""The function as a FastAPI application, with Mangum between it and AWS's events.

The model is loaded here, at import, and Mangum's lifespan is off: it would run at every request.
"""

from __future__ import annotations

import os

from contract import application, pages
from fastapi import Request as HTTPRequest
from fastapi import Response as HTTPResponse
from mangum import Mangum
from serving.events import carriage, guarded, id_of, without_prefix
from serving.messages import Request
from serving.model import load
from serving.service import Service


async def answer(http: HTTPRequest) -> HTTPResponse:
    """Every route: the service knows what each is for."""
    limit, carried = carriage(http.scope["aws.event"])
    response = service.handle(
        Request(
            http.method,
            http.scope["path"],
            _joined(http),
            await http.body(),
            id_of(http.scope["aws.context"]),
            limit,
            carried,
        )
    )
    return HTTPResponse(response.body, response.status, dict(response.headers))


def _joined(http: HTTPRequest) -> dict[str, str]:
    return {name: ", ".join(http.headers.getlist(name)) for name in http.headers}


model = load(os.path.dirname(os.path.abspath(__file__)))
api = application(model.description, answer)
service = Service(model, pages(api))


async def without_stage(scope: dict, receive: object, send: object) -> None:
    """FastAPI sees paths as the contract has them."""
    await api({**scope, "path": without_prefix(scope["path"], scope["aws.event"])}, receive, send)


handler = guarded(Mangum(without_stage, lifespan="off"))
