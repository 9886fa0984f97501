"""What stands around the model in a function: the declared steps, as graphs and as code.

In: a model's steps. Out, in the app's folder: a graph for what can be one, stages.json, and the
Python that runs the rest, as serving/stages/. The packages for it are in `media_of`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy_targets.records import Prepared, Signature, Stage, Staging
from deploy_targets.stages import host
from deploy_targets.stages import plan as plans
from deploy_targets.stages.host.own import FOLDER
from deploy_targets.stages.plan import Plan

MEDIA = {"decode_image": "image", "decode_audio": "audio", "palette": "image"}
"""Operation -> the lock in locks/media that has what it imports."""

HAS = frozenset({"numpy", "onnxruntime"})
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


def write(plan: Plan, model: Signature, app: Path) -> None:
    """The graphs, stages.json and serving/stages/ in the app's folder."""
    plans.write(plan, model, app)
    code = Path(str(host.__file__)).parent
    ignored = shutil.ignore_patterns("__pycache__")
    home = app / "serving" / "stages"
    shutil.copytree(code, home, ignore=ignored)
    (home / FOLDER).mkdir()
    decoding = {LIBRARIES[stage.op] for stage in plan.stages if stage.op in LIBRARIES}
    for name, file in plans.own_files(plan, HAS | decoding).items():
        shutil.copyfile(file, home / FOLDER / name)
