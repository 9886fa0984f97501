"""The contract's routes. A path is looked up here, in both flavors, and nowhere else."""

from __future__ import annotations

from typing import NamedTuple

from serving.model import Description
from serving.refusals import Refused, shown


class Route(NamedTuple):
    """What a path is for, and the one method it takes."""

    name: str
    method: str


LIVE = Route("live", "GET")
READY = Route("ready", "GET")
SERVER = Route("server", "GET")
MODEL = Route("model", "GET")
MODEL_READY = Route("model-ready", "GET")
INFER = Route("infer", "POST")
PREDICT = Route("predict", "POST")
OPENAPI = Route("openapi", "GET")
DOCS = Route("docs", "GET")

FIRST = frozenset({"v2", "predict", "openapi.json", "docs"})
"""The first segment of every route: how the prefix of a stage is told from a route."""


def route_of(path: str, method: str, description: Description) -> Route:
    """The route of a request. Raises Refused: 404, or 405 with the method that it takes."""
    route = _find(path, description)
    if method != route.method:
        raise Refused(405, f"{path} takes {route.method}, not {method}", allow=route.method)
    return route


def _find(path: str, description: Description) -> Route:
    match path.split("/")[1:]:
        case ["v2"]:
            return SERVER
        case ["v2", "health", "live"]:
            return LIVE
        case ["v2", "health", "ready"]:
            return READY
        case ["v2", "models", name, "versions", version, *rest]:
            found = _of_model(rest)
            _check_model(name, version, description)
        case ["v2", "models", name, *rest]:
            found = _of_model(rest)
            _check_model(name, description.version, description)
        case ["predict"]:
            return PREDICT
        case ["openapi.json"]:
            return OPENAPI
        case ["docs"]:
            return DOCS
        case _:
            found = None
    if found is None:
        raise Refused(404, f"there is no route {shown(path)}; GET /docs lists them")
    return found


def _of_model(rest: list[str]) -> Route | None:
    match rest:
        case []:
            return MODEL
        case ["ready"]:
            return MODEL_READY
        case ["infer"]:
            return INFER
    return None


def _check_model(name: str, version: str, description: Description) -> None:
    if name != description.name:
        raise Refused(404, f"there is no model {shown(name)}; this is {shown(description.name)}")
    if version != description.version:
        raise Refused(
            404,
            f"model {shown(name)} has no version {shown(version)}; "
            f"it has {shown(description.version)}",
        )
