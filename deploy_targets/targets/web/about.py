"""model.json: what the modules in a browser know of the model, its files and its steps.

In: records. Out: plain dicts, with sorted keys and no number that JSON does not have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy_targets.records import Entry, Port, Signature, Staging, TensorSpec
from deploy_targets.workspace import digest_of_file

NAME = "model.json"
ARRAYS = {
    **{kind: f"{kind.title()}Array" for kind in ("int8", "int16", "int32", "float32", "float64")},
    **{f"uint{bits}": f"Uint{bits}Array" for bits in (8, 16, 32)},
    "int64": "BigInt64Array",
    "uint64": "BigUint64Array",
    "bool": "Uint8Array",
    "float16": "Uint16Array",
}
"""dtype -> what holds its numbers in JavaScript; of float16 it is their bits."""


def described(
    name: str,
    code: str,
    runtime: tuple[str, str],
    entries: Sequence[Entry],
    signature: Signature,
    steps: Mapping[str, Any] | None,
    ladder: Sequence[str],
    files: Mapping[str, Any],
) -> dict[str, Any]:
    """All of model.json. `code` is the hash in the name of the modules' folder."""
    said = {
        "name": name,
        # Of the manifest, which is written after this file, nothing can stand here.
        "manifest": None,
        "code": code,
        "runtime": {"name": runtime[0], "version": runtime[1]},
        "entries": [_entry(entry) for entry in entries],
        "axes": {axis.name: [axis.minimum, axis.maximum] for axis in signature.axes},
        "batch": signature.batch,
        "signature": {
            "inputs": [_tensor(spec) for spec in signature.inputs],
            "outputs": [_tensor(spec) for spec in signature.outputs],
        },
        "steps": steps,
        "ladder": list(ladder),
        "files": dict(files),
    }
    return dict(_finite(said))


def steps(said: Mapping[str, Any], staging: Staging) -> dict[str, Any]:
    """What `plan.write` says of the steps around a model, as the modules take it."""
    return {
        "inputs": {
            name: {
                "media": side["media"],
                "suffixes": list(staging.suffixes[name]),
                "host": [{"op": step["op"], "options": step["options"]} for step in side["host"]],
                "graph": _role(side["graph"]),
            }
            for name, side in said["inputs"].items()
        },
        "graph": _role(said["graph"]),
        "host": said["host"],
        "gives": said["gives"],
        "single": said["single"],
    }


def file(folder: Path, path: str) -> dict[str, Any]:
    """A file as model.json has it; the page refuses one that is another."""
    whole = folder / path
    return {"path": path, "size": whole.stat().st_size, "sha256": digest_of_file(whole)}


def _role(graph: str | None) -> str | None:
    return graph and graph.removesuffix(".onnx")


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "inputs": [_port(port) for port in entry.inputs],
        "outputs": [_port(port) for port in entry.outputs],
    }


def _port(port: Port) -> dict[str, Any]:
    axes = None if port.axes is None else list(port.axes)
    return {**_tensor(port.spec), "of": port.of, "axes": axes}


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _finite(plain: Any) -> Any:
    """NaN and infinities as the manifest has them, in words."""
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_finite(value) for value in plain]
    return plain if not isinstance(plain, float) or math.isfinite(plain) else str(plain)
