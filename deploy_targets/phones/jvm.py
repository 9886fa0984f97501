"""Raw bytes to the answer by the Kotlin that goes into an app, run by a desktop's JVM.

In: a bundle, and what asks its artifact. Out: answers to raw questions, in the model's terms: the
steps before and behind the model, the binding and the manifest's reading are the app's own code;
the artifact is asked wherever the caller has it. Photos are decoded by javax.imageio here, and by
Android there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.integrations import answering, kotlin
from deploy_targets.integrations.answering import Answering
from deploy_targets.integrations.kotlin import Classes
from deploy_targets.records import Array, Tensors
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace

Ask = Callable[[str, Tensors], Tensors]
"""Asks an entry of the artifact: its name and tensors in, the answer's tensors out."""

MAIN = "dev.deploytarget.core.HarnessKt"
SECONDS = 120.0
"""How long it may take to say something, the artifact's own time not counted."""


class JvmRefused(Exception):
    """The Kotlin did not answer. `status` is the HTTP status that says why, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class JvmLacks(Exception):
    """A photo that Android decodes, and a desktop's JVM does not."""


@dataclass(frozen=True)
class Said:
    """An answer: its tensors, and what they are in words."""

    tensors: Tensors
    words: Mapping[str, Any]


class JvmSession:
    """A bundle that the JVM has opened."""

    def __init__(self, child: Answering, ask: Ask) -> None:
        self._child, self._ask = child, ask

    def predict(self, raw: Tensors) -> Said:
        """The answer to raw inputs: uint8 [bytes], or tensors of inputs that have no steps.

        Raises JvmRefused, JvmLacks, answering.Ended and Silence, and what asking the artifact
        raises.
        """
        return self._talk("predict", raw)

    def run(self, tensors: Tensors) -> Tensors:
        """The answer to tensors in the model's own names and layout. Raises as `predict` does."""
        return self._talk("run", tensors).tensors

    def _talk(self, how: str, tensors: Tensors) -> Said:
        said, given = self._exchange(tensors, {"ask": how})
        while "run" in said:
            try:
                found, told = self._ask(said["run"], given), {"gave": said["run"]}
            except BaseException as error:
                # It waits for an answer, and must not take the next question for one.
                self._exchange({}, {"error": str(error) or type(error).__name__})
                raise
            said, given = self._exchange(found, told)
        if "lacks" in said:
            raise JvmLacks(said["lacks"])
        if "refused" in said:
            raise JvmRefused(said["message"], int(said["refused"]))
        if "error" in said:
            raise JvmRefused(said["error"])
        return Said(given, json.loads(said["words"]))

    def _exchange(
        self, tensors: Tensors, said: Mapping[str, str]
    ) -> tuple[dict[str, str], Tensors]:
        from safetensors.numpy import load, save

        plain: dict[str, Array] = {name: np.asarray(a, order="C") for name, a in tensors.items()}
        body = self._child.ask(save(plain, dict(said)), SECONDS)
        size = int.from_bytes(body[:8], "little")
        told: dict[str, str] = json.loads(body[8 : 8 + size]).get("__metadata__", {})
        return told, load(body)


@contextmanager
def session(bundle: Path, ask: Ask, workspace: Workspace) -> Iterator[JvmSession]:
    """Opens the bundle's folder. Raises ToolMissing, ConversionFailed."""
    core = bundle / "android" / "core" / "src" / "main" / "kotlin"
    command = kotlin.command(MAIN, compiled(core, workspace), str(bundle.resolve()))
    with (
        workspace.scratch() as folder,
        answering.started(command, folder, who="the bundle's Kotlin") as child,
    ):
        yield JvmSession(child, ask)


def compiled(core: Path, workspace: Workspace) -> Classes:
    """The core that lies there with what asks it from outside, compiled once."""
    harness = resource("mobile", "android", "core", "src", "harness", "kotlin")
    main = kotlin.compiled([core], workspace, release=8)
    return kotlin.compiled([harness], workspace, friend=main)
