"""README.md of a bundle, for the person who receives nothing but the folder.

In: what was built. Out: templates/executorch/README.md.j2, filled. It is sealed before the bundle
is judged, so it says where the verdict stands, not what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy_targets.converters.pte import FILE, Converted
from deploy_targets.phones import naming
from deploy_targets.records import Lane, Port, Prepared
from deploy_targets.targets.executorch import conversion


def write(prepared: Prepared, made: Converted, lanes: Sequence[Lane], folder: Path) -> None:
    """Writes README.md; the projects and the model are in the folder already."""
    signature, entry = prepared.signature, made.entries[0]
    given = {
        "name": prepared.name,
        "package": naming.package(prepared.name),
        "folder": naming.package(prepared.name).lower(),
        "megabytes": f"{(folder / FILE).stat().st_size / 1e6:.1f}",
        "precision": prepared.recipe.name,
        "tools": dict(sorted(made.tools.items())),
        "inputs": signature.inputs,
        "outputs": signature.outputs,
        "axes": [axis for axis in signature.axes if _is_open(axis.name, entry.inputs)],
        "takes": ", ".join(map(_port, entry.inputs)),
        "gives": ", ".join(map(_port, entry.outputs)),
        "names": naming.named(signature.inputs),
        "steps": _steps(prepared),
        "required": [lane.name for lane in lanes if lane.required],
        "notes": _notes(made),
        **_computed(made),
    }
    text = naming.filled("executorch/README.md.j2", given)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _notes(made: Converted) -> list[str]:
    """Those that the table of operators does not say."""
    shown = set(conversion.counted(made.report))
    return [note for note in made.notes if note not in shown]


def _computed(made: Converted) -> dict[str, object]:
    """Who computes what, by the converter's report."""
    found = conversion.Delegation.of(made.report)
    return {
        "delegates": found.delegates,
        "share": None if found.share is None else f"{found.share:.1%}",
        "inside": conversion.plain(found.inside),
        "outside": conversion.plain(found.outside),
        "planned": f"{made.report['planned_bytes'] / 1e6:.1f}",
    }


def _is_open(axis: str, ports: Sequence[Port]) -> bool:
    return any(axis in str(dim).split("*") for port in ports for dim in port.spec.shape)


def _port(port: Port) -> str:
    shape = " x ".join(map(str, port.spec.shape)) or "a single number"
    return f"`{port.spec.name}` {port.spec.dtype} {shape}"


def _steps(prepared: Prepared) -> Mapping[str, Sequence[str]]:
    """Input -> the media that it takes as raw bytes; empty where no steps are declared."""
    return dict(prepared.staging.media) if prepared.staging else {}
