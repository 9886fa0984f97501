"""Takes what exporters note down about the user's source out of a graph, and hands it over.

What goes: metadata, doc strings, inferred shapes of internal values. They hold absolute paths and
traces of the machine of the build, so they must not ship, and they make the bytes depend on the
folder of the source. What leaves: per node, the module and the line that it came from.
"""

from __future__ import annotations

import ast
import linecache
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.graph import walk

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

SCOPES, TRACE = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.stack_trace"
_DYNAMO_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in \S+\n(?P<code>[^\n]*)')
_LEGACY_FRAME = re.compile(r"^(?P<file>\S[^\n]*?)\((?P<line>\d+)\): ", re.M)


def strip_metadata(model: ModelProto, folder: Path | None = None) -> dict[str, dict[str, str]]:
    """Strips the model; returns node -> {"module": dotted path, "line": "model.py:12 code"}.

    Paths inside `folder`, where the user's source lies, are written relative to it.
    """
    sources = {
        node.name: found
        for graph in walk.graphs(model.graph)
        for node in graph.node
        if node.name and (found := _origin(node, folder))
    }
    for message in _documented(model):
        message.ClearField("doc_string")  # type: ignore[attr-defined]
        if hasattr(message, "metadata_props"):
            message.ClearField("metadata_props")  # type: ignore[attr-defined]
    for graph in walk.graphs(model.graph):
        graph.ClearField("value_info")
    return sources


def _documented(model: ModelProto) -> Iterator[object]:
    yield model
    for function in model.functions:
        yield from (function, *function.node)
        function.ClearField("value_info")
    for graph in walk.graphs(model.graph):
        yield from (graph, *graph.node, *graph.input, *graph.output, *graph.initializer)
        yield from (attribute for node in graph.node for attribute in node.attribute)


def _origin(node: NodeProto, folder: Path | None) -> dict[str, str]:
    noted = {entry.key: entry.value for entry in node.metadata_props}
    found = {}
    if module := _module(node.name, noted.get(SCOPES)):
        found["module"] = module
    if line := _line(noted.get(TRACE), node.doc_string, folder):
        found["line"] = line
    return found


def _module(name: str, scopes: str | None) -> str:
    """The dotted path of the module, without the wrapper that was exported around the model."""
    if scopes:
        # The last scope is the operation's own name.
        path = ["", *ast.literal_eval(scopes)[:-1]][-1]
    else:
        parts = name.split("/")[:-1]
        # A child of a container that was called itself repeats its name: /layer1/layer1.0/conv.
        pairs = zip(parts[1:], parts, strict=False)
        path = ".".join(part.removeprefix(f"{outer}.") for part, outer in pairs)
    return str(path).removeprefix("model").removeprefix(".")


def _line(dynamo: str | None, legacy: str, folder: Path | None) -> str:
    """The innermost line of the user's own code, or the innermost of all."""
    frames = [*_DYNAMO_FRAME.finditer(dynamo)][::-1] if dynamo else []
    frames = frames or [*_LEGACY_FRAME.finditer(legacy)]
    inside = [f for f in frames if folder and Path(f["file"]).is_relative_to(folder)]
    theirs = [f for f in frames if "site-packages" not in f["file"]]
    if not (chosen := (inside or theirs or frames)[:1]):
        return ""
    file, line = chosen[0]["file"], chosen[0]["line"]
    shown = os.path.relpath(file, folder) if inside and folder else file
    # The legacy exporter writes down the place alone.
    code = chosen[0].groupdict().get("code") or linecache.getline(file, int(line))
    return f"{Path(shown).as_posix()}:{line} {code.strip()}".strip()
