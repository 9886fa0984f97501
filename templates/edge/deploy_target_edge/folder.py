"""The bundle's folder: what its manifest says, whether its files are what was sealed, golden.

The manifest is deploy-target.json. `check` reads every byte once; what serves for months should
know what it serves.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import NamedTuple

import numpy as np

from . import tensors
from .errors import Damaged, EdgeError

MANIFEST, GOLDEN, MODEL, STEPS = (
    "deploy-target.json",
    "golden.safetensors",
    "model.onnx",
    "steps.json",
)
SIDES = ("in", "out", "noise")
SCHEMA = 3
COPY = "copy the bundle's folder again"


class Case(NamedTuple):
    """A question of the original's, its answer, and how far the original strays from itself."""

    golden: str
    call: str
    entry: str
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]


class Folder:
    """A bundle that lies at `path`."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.manifest, self.digest = _manifest(self.path)

    @property
    def model(self):
        """The path of model.onnx."""
        return os.path.join(self.path, MODEL)

    @property
    def model_digest(self):
        """The SHA-256 of model.onnx, as sealed."""
        return self.manifest["files"][MODEL]["sha256"]

    @property
    def signature(self):
        """The model's own inputs, outputs and axes."""
        return self.manifest["signatures"]["tensors"]

    def file(self, name):
        """The path of another file of the folder."""
        return os.path.join(self.path, name)

    def check(self):
        """Raises Damaged where a file is missing or is not what was sealed."""
        for name, sealed in sorted(self.manifest["files"].items()):
            path = os.path.join(self.path, *name.split("/"))
            if not os.path.isfile(path):
                raise Damaged(f"{name} is missing from {self.path}", COPY)
            if os.path.getsize(path) != sealed["size"] or digest_of(path) != sealed["sha256"]:
                raise Damaged(f"{name} is not what was sealed: its bytes have changed", COPY)

    def cases(self):
        """All golden cases, by call; none where no question travels."""
        if GOLDEN not in self.manifest["files"]:
            return []
        found = {}
        for key, array in tensors.read(self.file(GOLDEN))[0].items():
            parts = key.split("/", 4)
            if len(parts) != 5 or parts[3] not in SIDES:
                raise Damaged(f"{GOLDEN} holds a key of another form: {key}", COPY)
            golden, call, entry, side, name = parts
            sides = found.setdefault((golden, call.replace("|", "/"), entry), ({}, {}, {}))
            sides[SIDES.index(side)][name] = array
        return [Case(*head, *sides) for head, sides in sorted(found.items())]


def digest_of(path):
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def _manifest(path):
    file = os.path.join(path, MANIFEST)
    try:
        with open(file, "rb") as opened:
            body = opened.read()
        manifest = json.loads(body.decode("utf-8"))
    except FileNotFoundError:
        raise EdgeError(f"{path} holds no {MANIFEST}, so it is no bundle", COPY) from None
    except (OSError, ValueError) as error:
        raise Damaged(f"{file} cannot be read: {error}", COPY) from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise Damaged(f"{file} has not the schema {SCHEMA} that this program reads", COPY)
    return manifest, hashlib.sha256(body).hexdigest()
