"""The function without a web framework: an event goes straight to the service and back.

/openapi.json and /docs are files, written at build time from the FastAPI flavor's description.
"""

from __future__ import annotations

import os
from functools import partial

from serving.events import guarded, kind_of, request_of, result_of
from serving.model import load
from serving.service import Service

FOLDER = os.path.dirname(os.path.abspath(__file__))


def page(name: str) -> bytes:
    """A file of the artifact."""
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


service = Service(
    load(FOLDER),
    {"openapi": partial(page, "openapi.json"), "docs": partial(page, "docs.html")},
)


@guarded
def handler(event: dict, context: object) -> dict:
    """What Lambda calls."""
    response = service.handle(request_of(event, context))
    return result_of(kind_of(event), event, response)
