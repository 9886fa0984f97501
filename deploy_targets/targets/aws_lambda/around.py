"""What stands around the model in a function: the declared steps, as graphs and as code.

In: a model's steps. Out, in the app's folder: a graph for what can be one, stages.json, and the
Python that runs the rest, as serving/stages/. The packages for it are in `media_of`.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy_targets.records import Prepared, Signature, Stage, Staging
from deploy_targets.stages import host
from deploy_targets.stages import plan as plans
from deploy_targets.stages.host.own import FOLDER
from deploy_targets.stages.plan import Plan

MEDIA = {"decode_image": "image", "decode_audio": "audio", "palette": "image"}
"""Operation -> the lock in locks/media that has what it imports."""

HAS = frozenset({"numpy", "onnxruntime"})
PHOTO_BYTES = 24
"""Memory for each pixel of a photo while it is decoded and resized: 21 were measured of a WebP
with transparency that EXIF turns, 16 of one without, 10 of a PNG."""
BASE_MB = 200
"""Memory of a function at rest, its model apart: that takes its file and itself."""
LIBRARIES = {"decode_image": "PIL", "decode_audio": "soundfile"}
"""What a user's own step may import, always and where something is decoded."""


def planned(staging: Staging) -> Plan:
    """Which step runs where, in a function."""

    def on_host(stage: Stage) -> bool:
        # Pillow is there to decode, and its resize is exact and fast for photos of any size.
        return stage.op == "resize" and stage.options.get("antialias") == "pil"

    return plans.plan(staging, on_host)


def media_of(prepared: Prepared) -> tuple[str, ...]:
    """Which media are read or written: a mask is told as a picture, too."""
    stages = prepared.staging.stages if prepared.staging else ()
    return tuple(sorted({MEDIA[stage.op] for stage in stages if stage.op in MEDIA}))


def memory_notes(stages: Sequence[Stage], model_bytes: int, memory_mb: int) -> tuple[str, ...]:
    """What to set where the largest photo that is taken does not fit the function's memory."""
    rest = BASE_MB + 2 * model_bytes / 2**20
    most = {s.of: s.options["max_pixels"] for s in stages if s.op == "decode_image"}
    notes = []
    for name, pixels in most.items():
        need = math.ceil(rest + pixels * PHOTO_BYTES / 2**20)
        if need > memory_mb:
            fits = math.floor((memory_mb - rest) * 2**20 / PHOTO_BYTES / 1e5) * 100_000
            less = f", or max_pixels = {fits} for {name}" if fits > 0 else ""
            notes.append(
                f"a photo for {name} of {pixels:,} pixels, the most that its max_pixels takes, can "
                f"need {need:,} MB of memory, and memory_mb is {memory_mb:,}: "
                f"set memory_mb = {need}{less}"
            )
    return tuple(notes)


def write(plan: Plan, model: Signature, app: Path) -> None:
    """The graphs, stages.json and serving/stages/ in the app's folder."""
    said = {**plans.write(plan, model, app), "alone": _alone(plan.stages)}
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (app / plans.FILE).write_text(text + "\n", encoding="utf-8")
    code = Path(str(host.__file__)).parent
    ignored = shutil.ignore_patterns("__pycache__")
    home = app / "serving" / "stages"
    shutil.copytree(code, home, ignore=ignored)
    (home / FOLDER).mkdir()
    decoding = {LIBRARIES[stage.op] for stage in plan.stages if stage.op in LIBRARIES}
    for name, file in plans.own_files(plan, HAS | decoding).items():
        shutil.copyfile(file, home / FOLDER / name)


def _alone(stages: Sequence[Stage]) -> dict[str, int]:
    """Outputs of the model that hold one item a request -> the axis of items."""
    axes: dict[str, int] = {}
    for stage in stages:
        if stage.op == "detections":
            axes |= {name: 0 for name in (stage.of, stage.options["scores"]) if name}
        if stage.op == "ctc":
            axes[stage.of] = 1 - stage.options["time"]
    return axes
