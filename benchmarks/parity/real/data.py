"""Inputs as these models meet them: photos, sounds, text, handwritten digits. Name -> case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deploy_targets.records import Array, Tensors

CHARACTERS = 120
"""Ids below this are in both of attacut's tables."""

SENTENCE = "วันนี้อากาศดีมากเราไปเดินเล่นกันเถอะ"
RATE, FRAME = 16000, 1024


def photos(packages: Path, size: int, count: int) -> Mapping[str, Tensors]:
    """foolbox's ImageNet photos, scaled to size x size, as (x - 127) / 128, one per case."""
    from PIL import Image

    found = sorted((packages / "foolbox" / "data").glob("imagenet_*"))[:count]
    cases = {}
    for path in found:
        picture = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
        array = (np.asarray(picture, np.float32) - 127) / 128
        cases[path.stem] = {"image": np.ascontiguousarray(array.transpose(2, 0, 1)[None])}
    return cases


def frames() -> Mapping[str, Tensors]:
    """Frames of a chord at three places, scaled as CREPE wants them: mean 0, deviation 1."""
    sound = _chord(RATE, 1.0)
    cases = {}
    for start in (0, 4000, 12000):
        frame = sound[start : start + FRAME]
        frame = (frame - frame.mean()) / frame.std()
        cases[f"chord-at-{start}"] = {"frame": frame[None].astype(np.float32)}
    return cases


def chord(model: Path) -> Mapping[str, Tensors]:
    """Two seconds of a chord at 22,050 Hz, under the name that the graph has for it."""
    import onnx

    graph = onnx.load(model).graph
    sound = _chord(22050, 2.0)[:43844].astype(np.float32)
    return {"chord": {graph.input[0].name: sound[None, :, None]}}


def text(packages: Path) -> Mapping[str, Tensors]:
    """A sentence as attacut's characters; syllables are seeded ids."""
    file = packages / "attacut/artifacts/attacut-sc/characters.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    ids = [min(int(table.get(letter, 1)), CHARACTERS - 1) for letter in SENTENCE]
    parts = np.random.default_rng(0).integers(2, CHARACTERS, len(ids) // 3 + 1).repeat(3)
    return {"sentence": {"ids": np.stack([ids, parts[: len(ids)]])[None].astype(np.int64)}}


def digits(folder: Path) -> Mapping[str, Tensors]:
    """Handwritten digits that the forest was not trained on."""
    with np.load(folder / "digits.npz") as archive:
        rows = archive["x"]
    return {f"digit-{i}": {"x": rows[i : i + 1]} for i in range(4)}


def _chord(rate: int, seconds: float) -> Array:
    """Three notes with overtones, fading, and a little seeded noise."""
    time = np.arange(int(rate * seconds)) / rate
    draw = np.random.default_rng(0)
    sound = 0.002 * draw.standard_normal(time.size)
    for pitch in (220.0, 277.18, 329.63):
        for overtone in range(1, 5):
            sound += np.sin(2 * np.pi * pitch * overtone * time) / overtone**2
    found: Array = 0.2 * sound * np.exp(-time)
    return found
