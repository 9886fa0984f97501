"""Engines of TensorRT on disk, each by all that it was made of; never one that is another's.

An engine is bound to a GPU, a TensorRT, a precision, the bytes of a model and the sizes that it was
planned for: those are its key, written beside it, and it is handed out only where the whole key is
the one that was asked for and its bytes are those that were kept. Whatever else lies there is built
again. A new one takes the old one's place by a rename, once it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from typing import NamedTuple

from .errors import EdgeError
from .folder import digest_of

PLAN, SAID, TIMING = "engine.plan", "engine.json", "timing.cache"


class Key(NamedTuple):
    """All that an engine is bound to."""

    gpu: str
    capability: str
    tensorrt: str
    precision: str
    model: str  # SHA-256 of model.onnx
    profile: str  # the sizes that it is planned for, as text
    dla: int = -1  # the core, or -1 for the GPU

    @property
    def digest(self):
        """What its folder is called."""
        text = json.dumps(self._asdict(), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


class Engines:
    """The engines below a folder."""

    def __init__(self, home):
        self.home = os.path.abspath(os.path.expanduser(home))

    def find(self, key):
        """The path of the engine with this key, and why there is none: exactly one is ""."""
        folder = self._folder(key)
        plan, said = os.path.join(folder, PLAN), _said(os.path.join(folder, SAID))
        if not os.path.isfile(plan):
            return "", "none was built yet"
        if said is None:
            return "", "what it was made of is not written beside it"
        for name, value in key._asdict().items():
            if said.get("key", {}).get(name) != value:
                return "", f"it is for another {name}: {said.get('key', {}).get(name)}"
        if os.path.getsize(plan) != said.get("size") or digest_of(plan) != said.get("sha256"):
            return "", "it is truncated or damaged"
        return plan, ""

    def keep(self, key, plan):
        """Writes an engine's bytes; the path. What was there stays until the new one is whole.

        Raises EdgeError where there is no space.
        """
        folder = self._folder(key)
        said = {
            "key": dict(key._asdict()),
            "size": len(plan),
            "sha256": hashlib.sha256(plan).hexdigest(),
        }
        try:
            os.makedirs(folder, exist_ok=True)
            beside = _written(os.path.join(folder, PLAN), plan)
            told = _written(os.path.join(folder, SAID), json.dumps(said, indent=1).encode())
        except OSError as error:
            raise _no_space(error, folder, len(plan)) from None
        # Between the two the old key stands beside the new bytes, whose hash it has not.
        os.replace(beside, os.path.join(folder, PLAN))
        os.replace(told, os.path.join(folder, SAID))
        return os.path.join(folder, PLAN)

    def timing(self, key):
        """Where TensorRT may keep what it measured: of one GPU, for all its engines."""
        name = hashlib.sha256(f"{key.gpu} {key.capability} {key.tensorrt}".encode()).hexdigest()
        return os.path.join(self.home, f"{name[:16]}-{TIMING}")

    def _folder(self, key):
        return os.path.join(self.home, key.digest)


def home():
    """Where engines are kept unless somebody says otherwise."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return os.environ.get("DEPLOY_TARGET_ENGINES") or os.path.join(cache, "deploy-target-engines")


def _said(path):
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("key"), dict) else None


def _written(path, body):
    """A whole file beside the path; on disk, not only on its way there."""
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        if os.path.exists(beside):
            os.remove(beside)
        raise
    return beside


def _no_space(error, folder, size):
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EdgeError(
            f"no space for an engine of {size:,} bytes in {folder}; the old one is as it was",
            "make room, or set DEPLOY_TARGET_ENGINES to a folder on another disk",
        )
    return EdgeError(
        f"an engine could not be written to {folder}: {error.strerror}",
        "set DEPLOY_TARGET_ENGINES to a folder that you may write to",
    )
