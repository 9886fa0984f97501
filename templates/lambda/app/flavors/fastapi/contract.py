"""The FastAPI application of one model: its routes, and from them /openapi.json and /docs.

The application is made from model.json alone, so that the build can write the same two pages for
the lean flavor; what answers is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from schemas import operations
from serving.model import Description
from starlette.routing import Mount

Answer = Callable[[Request], Awaitable[Response]]


def application(description: Description, answer: Answer) -> FastAPI:
    """Every route of the contract leads to `answer`, and so does every path that is none."""
    api = FastAPI(
        title=description.name,
        version=description.version,
        description=_ABOUT,
        servers=[{"url": "."}],
        openapi_url=None,
    )

    # FastAPI reads the signature and the docstring of what it is given into the description.
    async def endpoint(request: Request) -> Response:
        return await answer(request)

    for operation in operations(description):
        api.add_api_route(
            operation.path,
            endpoint,
            methods=[operation.method],
            operation_id=operation.name,
            summary=operation.summary,
            response_model=None,
            response_class=Response,
            openapi_extra=operation.extra,
        )
    api.router.routes.append(Mount("/", _Anything(answer)))
    return api


_ABOUT = (
    "The Open Inference Protocol, version 2, with its binary tensor extension, and /predict for "
    "NumPy files and, where steps around the model are declared, for raw ones. "
    'In JSON, non-finite numbers are the strings "NaN", "Infinity" and "-Infinity".'
)


class _Anything:
    """Takes whatever no route took, so that a wrong path or method is refused in one voice."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


def pages(api: FastAPI) -> dict[str, Callable[[], bytes]]:
    """What /openapi.json and /docs show; made when asked for, not at a cold start."""
    return {
        "openapi": lambda: json.dumps(api.openapi(), indent=1, ensure_ascii=False).encode(),
        "docs": lambda: get_swagger_ui_html(openapi_url="openapi.json", title=api.title).body,
    }
