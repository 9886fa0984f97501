"""README.md of a bundle, for the person who receives nothing but the folder.

In: what was built. Out: templates/tflite/README.md.j2, filled. It is sealed before the bundle is
judged, so it says where the verdict stands, not what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters.tflite import FILE, Converted
from deploy_targets.phones import naming
from deploy_targets.records import Entry, Port, Prepared
from deploy_targets.targets.tflite import oldest

if TYPE_CHECKING:
    from deploy_targets.targets.tflite.target import Tflite


def write(target: Tflite, prepared: Prepared, made: Converted, folder: Path) -> None:
    """Writes README.md; the projects and the model are in the folder already."""
    given = {
        "name": prepared.name,
        "package": naming.package(prepared.name),
        "folder": naming.package(prepared.name).lower(),
        "megabytes": f"{(folder / FILE).stat().st_size / 1e6:.1f}",
        "precision": prepared.recipe.name,
        "converter": target.converter,
        "tools": dict(sorted(made.tools.items())),
        "notes": made.notes,
        "inputs": prepared.signature.inputs,
        "outputs": prepared.signature.outputs,
        "axes": prepared.signature.axes,
        "entries": [_entry(entry) for entry in made.entries],
        "moved": _moved(made.entries),
        "names": naming.named(prepared.signature.inputs),
        "answers": naming.named(prepared.signature.outputs),
        "steps": _steps(prepared),
        "lanes": [lane.name for lane in target.lanes(prepared.recipe.name)],
        "oldest": oldest.minimum_runtime(folder / FILE),
        "old_runtime": target.old_runtime,
    }
    (folder / "README.md").write_text(naming.filled("tflite/README.md.j2", given), encoding="utf-8")


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "inputs": [_port(port) for port in entry.inputs],
        "outputs": [_port(port) for port in entry.outputs],
    }


def _port(port: Port) -> str:
    shape = " x ".join(map(str, port.spec.shape)) or "a single number"
    return f"`{port.spec.name}` {port.spec.dtype} {shape}"


def _moved(entries: Sequence[Entry]) -> list[str]:
    """Tensors that lie in another order in the file than in the model, in words."""
    ports = [port for port in (*entries[0].inputs, *entries[0].outputs) if port.axes is not None]
    return [
        f"`{port.of}`: axes {', '.join(map(str, port.axes or ()))} of the model" for port in ports
    ]


def _steps(prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """Input -> the media that it takes as raw bytes; empty where no steps are declared."""
    return dict(prepared.staging.media) if prepared.staging else {}
