"""README.md of a bundle, for the person who receives nothing but the folder.

In: what was built. Out: templates/coreml/README.md.j2, filled. It is sealed before the bundle is
judged, so it says where the verdict stands, not what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.converters.coreml import ENTRY, FOLDER, VERSIONS, Converted
from deploy_targets.phones import naming
from deploy_targets.records import Port, Prepared
from deploy_targets.targets.coreml import runner

if TYPE_CHECKING:
    from deploy_targets.targets.coreml.target import Coreml


def write(target: Coreml, prepared: Prepared, made: Converted, folder: Path) -> None:
    """Writes README.md; the project and the package are in the folder already."""
    signature, entry = prepared.signature, made.entries[0]
    given = {
        "name": prepared.name,
        "megabytes": f"{_size(folder / FOLDER) / 1e6:.1f}",
        "precision": prepared.recipe.name,
        "minimum": target.minimum.removeprefix("iOS"),
        "macos": int(target.minimum.removeprefix("iOS")) - 3,
        "form": VERSIONS[target.minimum],
        "function": ENTRY,
        "tools": dict(sorted(made.tools.items())),
        "notes": made.notes,
        "inputs": signature.inputs,
        "outputs": signature.outputs,
        "axes": [axis for axis in signature.axes if axis.name not in target.sizes],
        "takes": ", ".join(map(_port, entry.inputs)),
        "gives": ", ".join(map(_port, entry.outputs)),
        "names": naming.named(signature.inputs),
        "steps": _steps(prepared),
        "questions": target.golden != "none",
        "recording": runner.RECORDING,
        "macos_command": runner.command(prepared.name, "macos"),
        "ios_command": runner.command(prepared.name, "ios"),
    }
    text = naming.filled("coreml/README.md.j2", given)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _port(port: Port) -> str:
    shape = " x ".join(map(str, port.spec.shape)) or "a single number"
    return f"`{port.spec.name}` {port.spec.dtype} {shape}"


def _steps(prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """Input -> the media that it takes as raw bytes; empty where no steps are declared."""
    return dict(prepared.staging.media) if prepared.staging else {}
