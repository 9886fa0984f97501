"""Asks the artifact of a bundle, in a process of its own for each lane that is opened.

In: a target's `World`. A crash of native code, or an artifact that a runtime refuses, is a verdict
on that lane, with its last words. Phones answer elsewhere: their lanes are judged by `verify
--actual`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy_targets.errors import NotRun
from deploy_targets.integrations import answering
from deploy_targets.integrations.answering import Answering, Silence
from deploy_targets.phones import jvm
from deploy_targets.phones.jvm import JvmSession
from deploy_targets.phones.places import Place, Way, World
from deploy_targets.phones.raw import Raw
from deploy_targets.phones.share import Share
from deploy_targets.records import Answer, Bundle, Call, Tensors
from deploy_targets.runtime import Session
from deploy_targets.workspace import Workspace

ASKED = Path(__file__).with_name("asked.py")


class RuntimeRefused(Exception):
    """The runtime did not load the artifact, or did not answer."""


@dataclass(frozen=True)
class Patience:
    """Seconds that a runtime may take, and that an emulated one may spend on all cases."""

    to_start: float = 120.0
    to_answer: float = 300.0
    emulated: float = 900.0
    share: float = 60.0


@contextmanager
def started(
    world: World, workspace: Workspace, patience: Patience = Patience()
) -> Iterator[PhoneRunner]:
    """A runner. What it needs is made when a lane is first opened."""
    yield PhoneRunner(world, workspace, patience)


class PhoneRunner:
    """A process for each bundle and lane."""

    def __init__(self, world: World, workspace: Workspace, patience: Patience) -> None:
        self._world, self._workspace, self._patience = world, workspace, patience

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        """Loads the artifact. Raises NotRun, ToolMissing, RuntimeRefused, answering.Ended."""
        world = self._world
        if lane in world.devices:
            raise NotRun(
                "a device is asked elsewhere",
                hint=f"run {world.devices[lane]}, and judge the file that it writes: "
                "deploy-target verify BUNDLE --actual FILE",
            )
        way = world.lanes[lane]
        with self._workspace.scratch() as folder:
            place = way.place(self._workspace, folder)
            with ExitStack() as stack:
                child = stack.enter_context(_asked(world, bundle.path, place, way, folder))
                session = PhoneSession(child, bundle, Asked(world, place, way), self._patience)

                def start() -> JvmSession:
                    opened = jvm.session(bundle.path, session.ask_model, self._workspace)
                    return stack.enter_context(opened)

                if world.jvm:
                    session.raw = Raw(bundle, start)
                yield session


@contextmanager
def _asked(world: World, bundle: Path, place: Place, way: Way, folder: Path) -> Iterator[Answering]:
    model = str((bundle / world.file).resolve())
    told = {
        "world": str(world.asked),
        "told": {"model": model, "threads": way.threads, **place.told},
        "path": place.path,
        "warm": not place.emulated,
    }
    command = [*place.command, str(place.asker or ASKED), json.dumps(told)]
    with answering.started(
        command, folder, who="the runtime", environment=place.environment
    ) as child:
        yield child


@dataclass(frozen=True)
class Asked:
    """What is asked, where, and how."""

    world: World
    place: Place
    way: Way


class PhoneSession:
    """Asks the process. The artifact has said by then what it was loaded with."""

    def __init__(self, child: Answering, bundle: Bundle, asked: Asked, patience: Patience) -> None:
        self._child, self._world = child, asked.world
        self._place, self._way = place, way = asked.place, asked.way
        self._share = Share(bundle.manifest.options, patience.share) if place.emulated else None
        self._seconds = patience.emulated if place.emulated else patience.to_answer
        first = patience.emulated if place.emulated else patience.to_start
        _, self._loaded = self._heard(lambda: child.hear(first))
        self._peak = int(self._loaded["peak"])
        self._crowded = way.threads > (os.cpu_count() or 1)
        self.raw: Raw | None = None

    @property
    def where(self) -> str:
        """The runtime, its threads, the Python and the machine."""
        runtime = self._world.where(self._loaded)
        threads = f"{self._way.threads} thread{'s' if self._way.threads > 1 else ''}"
        python = f"Python {self._loaded['python']}"
        return f"{runtime}, {threads}, {python} on {self._place.machine}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What it took, and what is not as on a phone."""
        return tuple(self._noted())

    def _noted(self) -> Iterator[str]:
        yield from self._world.notes(self._loaded)
        if self._crowded:
            yield "there are fewer processors than threads, so no time was taken"
        if self._share:
            yield "the processor is emulated: its answers count, its time and memory do not"
            yield from self._share.notes
        elif self._peak:
            before, peak = int(self._loaded["before"]) / 1e6, self._peak / 1e6
            yield (
                f"loaded in {float(self._loaded['seconds']) * 1e3:.0f} ms; memory at its peak "
                f"{peak:.0f} MB, {before:.0f} MB of it before the file was loaded"
            )

    def run(self, call: Call) -> Answer:
        """Raises RuntimeRefused, answering.Ended; NotRun where an emulator takes too long."""
        if self.raw and call.entry in self.raw.entries:
            if self._way.steps:
                return self.raw.run(call)
            lanes = self._world.with_steps
            return Answer({}, skipped=f"the steps around the model are asked in {lanes}")
        if self._share is None:
            answer = self._ask(call)
            return dataclasses.replace(answer, seconds=None) if self._crowded else answer
        if why := self._share.leaves_out(call):
            return Answer({}, skipped=why)
        started = time.monotonic()
        answer = self._ask(call)
        self._share.took(call, time.monotonic() - started)
        return dataclasses.replace(answer, seconds=None)

    def ask_model(self, entry: str, tensors: Tensors) -> Tensors:
        """What the artifact answers, for whoever runs the steps around it."""
        return self._ask(Call(f"{entry}, from bytes", entry, tensors)).outputs

    def _ask(self, call: Call) -> Answer:
        from safetensors.numpy import save

        plain = {name: np.asarray(array, order="C") for name, array in call.inputs.items()}
        message = save(plain, {"entry": call.entry})
        tensors, said = self._heard(lambda: self._child.ask(message, self._seconds), call.name)
        self._peak = int(said["peak"])
        return Answer(tensors, float(said["seconds"]))

    def _heard(self, hear: Callable[[], bytes], call: str = "") -> tuple[Tensors, dict[str, str]]:
        """What the process says, or raises what it could not do."""
        from safetensors.numpy import load

        try:
            body = hear()
        except Silence as error:
            if not self._place.emulated:
                raise
            raise NotRun(
                f"emulated, {error}",
                hint='arm = "none" leaves it out; or verify it on a device',
            ) from None
        said = _metadata(body)
        if "error" in said:
            why = " ".join(said["error"].split())
            at = call or f"the file was not loaded{self._place.unloaded}"
            raise RuntimeRefused(f"{at}: {why}")
        return load(body), said


def _metadata(body: bytes) -> dict[str, str]:
    size = int.from_bytes(body[:8], "little")
    said: Mapping[str, str] = json.loads(body[8 : 8 + size]).get("__metadata__", {})
    return dict(said)
