"""The original's answers on disk: asked once, whatever the number of targets.

In: a key of all that decides them, and how to record them. Out: Golden, byte for byte as recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from deploy_targets import bundle as bundles
from deploy_targets.records import Array, Case, Golden, OutputNoise, Signature
from deploy_targets.workspace import Workspace

KIND, RECORDS, ARRAYS = "golden", "golden.json", "golden.safetensors"
SIDES = ("inputs", "outputs", "noise")


def kept(
    workspace: Workspace, key: str, record: Callable[[], Sequence[Golden]]
) -> tuple[Golden, ...]:
    """What was recorded under this key, now or before. Raises whatever `record` does."""
    return read(workspace.cached(KIND, key, lambda folder: write(folder, record())))


def write(folder: Path, known: Sequence[Golden]) -> None:
    """Arrays in one file, all else in another."""
    arrays: dict[str, Array] = {}
    for golden in known:
        for number, case in enumerate(golden.cases):
            for side in SIDES:
                for name, array in getattr(case, side).items():
                    arrays[f"{golden.name}/{number}/{side}/{name}"] = array
    if arrays:
        bundles.write_tensors(folder / ARRAYS, arrays)
    said = [_plain(golden) for golden in known]
    (folder / RECORDS).write_text(json.dumps(said), encoding="utf-8")


def read(folder: Path) -> tuple[Golden, ...]:
    """What `write` wrote there."""
    arrays = bundles.read_tensors(folder / ARRAYS) if (folder / ARRAYS).is_file() else {}
    said = json.loads((folder / RECORDS).read_text(encoding="utf-8"))
    return tuple(_golden(plain, arrays) for plain in said)


def _plain(golden: Golden) -> dict[str, Any]:
    return {
        "name": golden.name,
        "signature": TypeAdapter(Signature).dump_python(golden.signature, mode="json"),
        # JSON of Python's own holds NaN and infinities, and floats to the last bit.
        "noise": {
            name: [own.relative_l2, own.jumps, own.jump] for name, own in golden.noise.items()
        },
        "noise_sources": golden.noise_sources,
        "doubts": golden.doubts,
        # The order of names is kept, for arrays come back in another.
        "cases": [
            {
                "name": case.name,
                "why": case.why,
                "synthetic": case.synthetic,
                **{side: list(getattr(case, side)) for side in SIDES},
            }
            for case in golden.cases
        ],
    }


def _golden(plain: dict[str, Any], arrays: dict[str, Array]) -> Golden:
    def case(number: int, said: dict[str, Any]) -> Case:
        head = f"{plain['name']}/{number}"
        sides = {
            side: {name: arrays[f"{head}/{side}/{name}"] for name in said[side]} for side in SIDES
        }
        return Case(said["name"], said["why"], synthetic=said["synthetic"], **sides)

    return Golden(
        plain["name"],
        TypeAdapter(Signature).validate_python(plain["signature"]),
        tuple(case(number, said) for number, said in enumerate(plain["cases"])),
        {name: OutputNoise(*own) for name, own in plain["noise"].items()},
        tuple(plain["noise_sources"]),
        tuple(plain["doubts"]),
    )
