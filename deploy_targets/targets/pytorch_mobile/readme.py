"""README.md of a bundle, for the person who receives nothing but the folder.

In: what was built. Out: templates/pytorch_mobile/README.md.j2, filled. It is sealed before the
bundle is judged, so it says where the verdict stands, not what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.converters.ptl import FILE, Converted
from deploy_targets.phones import naming
from deploy_targets.records import Port, Prepared

if TYPE_CHECKING:
    from deploy_targets.targets.pytorch_mobile.target import PytorchMobile

READS = range(4, 10)
"""Bytecode versions that PyTorch 2.1 reads, as its caffe2/serialize/versions.h has them."""


def write(target: PytorchMobile, prepared: Prepared, made: Converted, folder: Path) -> None:
    """Writes README.md; the project and the model are in the folder already."""
    signature = prepared.signature
    given = {
        "name": prepared.name,
        "folder": naming.package(prepared.name).lower(),
        "kilobytes": f"{(folder / FILE).stat().st_size / 1e3:,.0f}",
        "precision": prepared.recipe.name,
        "tools": dict(sorted(made.tools.items())),
        "notes": made.notes,
        "inputs": signature.inputs,
        "outputs": signature.outputs,
        "axes": signature.axes,
        "takes": ", ".join(map(_port, made.entry.inputs)),
        "gives": ", ".join(map(_port, made.entry.outputs)),
        "names": naming.named(signature.inputs),
        "steps": _steps(prepared),
        "lanes": [lane.name for lane in target.lanes(prepared.recipe.name)],
        "bytecode": made.bytecode,
        "reads": READS,
        "operators": made.operators,
    }
    text = naming.filled("pytorch_mobile/README.md.j2", given)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _port(port: Port) -> str:
    shape = " x ".join(map(str, port.spec.shape)) or "a single number"
    return f"`{port.spec.name}` {port.spec.dtype} {shape}"


def _steps(prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """Input -> the media that it takes as raw bytes; empty where no steps are declared."""
    return dict(prepared.staging.media) if prepared.staging else {}
