"""What a conversion to TensorFlow Lite is kept under, for making it takes half a minute and more.

In: an Order, and which converter carries it out. Out: a key for `workspace.cached(KIND, ...)` that
holds all that decides the bytes: the graph's own, the order, the packages, and this program's code.
Two targets that order the same of the same graph share what was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy_targets.converters import tflite
from deploy_targets.converters.tflite import Order
from deploy_targets.integrations import beside
from deploy_targets.records import Dialect, Graph
from deploy_targets.workspace import digest_of, digest_of_file

KIND = "tflite"
"""The kind under which the workspace keeps what was converted."""
GRAPHS = {
    Dialect.EXPORTED: "model.pt2",
    Dialect.ONNX: "model.onnx*",
    Dialect.SAVED_MODEL: "saved_model/**/*",
}
"""Dialect -> the files of a captured graph."""
CODE = Path(__file__).parent
"""The converters, and what they share."""


def files(graph: Graph) -> Iterator[Path]:
    """The files of a captured graph, sorted."""
    found = graph.folder.glob(GRAPHS[graph.dialect])
    return (file for file in sorted(found) if file.is_file())


def key(converter: str, lock: str, order: Order) -> str:
    """Not of the model's digest: exporters differ. `lock` names the converter's packages."""
    folder = order.graph.folder
    return digest_of(
        converter,
        [[f.relative_to(folder).as_posix(), digest_of_file(f)] for f in files(order.graph)],
        {**tflite.packed(order), "graph": order.graph.dialect.value},
        digest_of_file(beside.LOCKS / f"{lock}.txt"),
        [digest_of_file(file) for file in sorted(CODE.rglob("*.py"))],
        _installed(),
    )


def _installed() -> Mapping[str, str]:
    """The tools that lie in the user's own environment."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("torch", "tensorflow", "tensorflow-cpu", "onnx", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
