"""One case: steps, what they are given, and what the reference in Python makes of it.

`answer` is the reference; `save` and `read` are the file format that docs/preprocessing.md
describes.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.records import Array
from deploy_targets.stages import host
from deploy_targets.stages.host import words
from deploy_targets.testing.vectors.slack import Slack
from deploy_targets.workspace import digest_of

KEY = "vectors"
"""The only key of a file's metadata: with several, their order would differ from run to run."""

BEFORE, AFTER, WORDS = "before", "after", "words"


@dataclass(frozen=True)
class Case:
    """Steps and their input; either `outputs`, `frame_after` and `slack`, or `refuses`."""

    name: str
    why: str
    side: str
    """ "before" and "after" the model; "words": from tensors to JSON, and a mask as a PNG."""
    steps: tuple[Mapping[str, Any], ...]
    inputs: Mapping[str, Array]
    frame: Mapping[str, Any] = field(default_factory=dict)
    single: bool = True
    outputs: Mapping[str, Array] = field(default_factory=dict)
    frame_after: Mapping[str, Any] = field(default_factory=dict)
    slack: Mapping[str, Slack] = field(default_factory=dict)
    refuses: Mapping[str, Any] | None = None

    @property
    def digest(self) -> str:
        """Of what is asked, and by which steps."""
        given = {k: [a.dtype.str, a.shape, a.tobytes().hex()] for k, a in self.inputs.items()}
        return digest_of(self.side, self.steps, given, self.frame, self.single)


def answer(case: Case) -> tuple[dict[str, Array], dict[str, Any]]:
    """What the steps in Python give, and the frame afterwards. Raises host.Refused."""
    frame, steps = copy.deepcopy(dict(case.frame)), [dict(step) for step in case.steps]
    if case.side == BEFORE:
        raw = case.inputs.get("bytes")
        given = case.inputs["value"] if raw is None else raw.tobytes()
        return {"value": np.asarray(host.before(steps, given, frame))}, frame
    tensors = {name: array.copy() for name, array in case.inputs.items()}
    tensors = host.after(steps, tensors, frame)
    if case.side == AFTER:
        return tensors, frame
    said: dict[str, bytes] = {}
    if "image/png" in words.media(steps):
        said["picture"] = words.picture(steps, tensors)
    spoken = words.say(steps, tensors, frame, case.single)
    said["json"] = json.dumps(spoken, ensure_ascii=False, allow_nan=False).encode()
    return {name: np.frombuffer(data, np.uint8) for name, data in said.items()}, frame


def save(cases: Sequence[Case], file: Path) -> None:
    """Writes cases, of which no two may have one name."""
    from safetensors.numpy import save_file

    tensors = {
        f"{case.name}/{side}/{name}": np.ascontiguousarray(array)
        for case in cases
        for side, several in (("in", case.inputs), ("out", case.outputs))
        for name, array in several.items()
    }
    said = {case.name: _described(case) for case in cases}
    assert len(said) == len(cases), f"two cases of {file.name} have one name"
    text = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    save_file(dict(sorted(tensors.items())), file, {KEY: text})


def _described(case: Case) -> dict[str, Any]:
    said: dict[str, Any] = {"why": case.why, "side": case.side, "steps": list(case.steps)}
    said["single"], said["frame"] = case.single, dict(case.frame)
    if case.refuses is not None:
        return said | {"refuses": dict(case.refuses)}
    slack = {name: one.plain() for name, one in case.slack.items()}
    return said | {"frame_after": dict(case.frame_after), "tolerance": slack}


def read(file: Path) -> list[Case]:
    """The cases of a file, in their order."""
    from safetensors import safe_open

    with safe_open(file, "numpy") as opened:
        said = json.loads(opened.metadata()[KEY])
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    sides: dict[str, dict[str, dict[str, Array]]] = {n: {"in": {}, "out": {}} for n in said}
    for key, tensor in tensors.items():
        name, side, of = key.split("/", 2)
        sides[name][side][of] = tensor
    return [_read(name, one, sides[name]) for name, one in said.items()]


def _read(name: str, said: dict[str, Any], sides: dict[str, dict[str, Array]]) -> Case:
    slack = {of: Slack(**plain) for of, plain in said.get("tolerance", {}).items()}
    return Case(
        name,
        said["why"],
        said["side"],
        tuple(said["steps"]),
        sides["in"],
        said["frame"],
        said["single"],
        sides["out"],
        said.get("frame_after", {}),
        slack,
        said.get("refuses"),
    )
