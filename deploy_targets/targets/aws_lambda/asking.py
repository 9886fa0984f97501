"""How to ask a bundle from raw bytes, for its README: a command, and the form of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy_targets.records import Stage, Staging

_FILES = {
    "image": ("A photo (JPEG, PNG, WebP, GIF or BMP)", "photo.jpg"),
    "audio": ("A recording (WAV, FLAC or OGG)", "recording.wav"),
    "text": ("A table (CSV or JSON)", "table.csv"),
}
_MEANS = {
    "classes": "the classes, their indices and scores",
    "boxes": "what was found: class, score, and the corners x1, y1, x2, y2 in pixels",
    "mask": "height and width, a PNG in base64 whose pixels are class numbers, and each class's "
    "share of it; with one mask, `Accept: image/png` gives the picture alone",
    "text": "what was said, and the tokens",
}


@dataclass(frozen=True)
class Asked:
    """What goes in, a command that sends it, and what comes back."""

    takes: str
    curl: tuple[str, ...]
    answer: str
    said: str


def asked(staging: Staging) -> Asked:
    """An example for these steps."""
    names = [spec.name for spec in staging.signature.inputs]
    labels = [stage for stage in staging.after if stage.op == "label"]
    means = [f"`{stage.of}`: {_MEANS[stage.options['says']]}." for stage in labels]
    labelled = {stage.of: _example(stage, staging.single) for stage in labels}
    plain = {
        spec.name: [0.5, "…"]
        for spec in staging.signature.outputs
        if not {spec.name, spec.name.rpartition(".")[0]} & set(labelled)
    }
    said = " ".join([*means, *(["Any other output is its values, nested."] if plain else [])])
    answer = json.dumps({**labelled, **plain}, ensure_ascii=False)
    if len(names) == 1 and names[0] in staging.media:
        return _one(staging.media[names[0]][0], answer, said)
    return _several(staging, answer, said)


def _one(kind: str, answer: str, said: str) -> Asked:
    takes, file = _FILES[kind.partition("/")[0]]
    curl = f"curl -s -H 'Content-Type: {kind}' --data-binary @{file} URL/predict"
    return Asked(takes, (curl,), answer, said)


def _several(staging: Staging, answer: str, said: str) -> Asked:
    inputs: Mapping[str, Any] = {
        spec.name: {"base64": "…"} if spec.name in staging.media else [[0.5, "…"]]
        for spec in staging.signature.inputs
    }
    body = json.dumps({"inputs": inputs}, ensure_ascii=False)
    curl = "curl -s -H 'Content-Type: application/json' --data @question.json URL/predict"
    return Asked(
        "JSON with an entry for each input", (f"{body}  # question.json", curl), answer, said
    )


def _example(stage: Stage, single: bool) -> Any:
    names = stage.options["labels"]
    label = {} if names is None else {"label": names[0]}
    example: dict[str, Any] = {
        "classes": [{**label, "index": 0, "score": 0.9}, "…"],
        "boxes": [{**label, "class": 0, "score": 0.9, "box": [10.5, 20.0, 30.5, 40.0]}, "…"],
        "mask": {
            "size": [480, 640],
            "png": "…",
            "classes": [{**label, "index": 0, "share": 0.75}, "…"],
        },
        "text": {**({"text": "…"} if names else {}), "ids": [7, "…"]},
    }
    says = stage.options["says"]
    return [example[says]] if says in ("classes", "mask") and not single else example[says]
