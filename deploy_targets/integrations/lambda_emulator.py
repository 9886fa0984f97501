"""One function in AWS's Runtime Interface Emulator, in a sandbox of the size it was configured for.

In comes a `FunctionSpec`, out goes a running `Function`: events in, its raw answers out, one at a
time. What the function sees is put together in `lambda_sandbox.py`; what speaks to the emulator
inside is `lambda_client.py`. The sandbox ends with the `with` block, and with this process.

    with start(FunctionSpec(folder, "app.handler", "x86_64", "3.13"), workspace) as function:
        function.invoke({"path": "/"}, timeout=30)
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from deploy_targets.errors import NotRun
from deploy_targets.integrations import bubblewrap, cgroups
from deploy_targets.integrations.lambda_channel import Channel, Ended, Reply, Silence, converse
from deploy_targets.integrations.lambda_sandbox import FunctionSpec, World, world
from deploy_targets.workspace import Workspace

__all__ = [
    "MAX_EVENT_BYTES",
    "EventTooLarge",
    "Function",
    "FunctionFailed",
    "FunctionSpec",
    "start",
]

MAX_EVENT_BYTES = 6_291_456
"""What a synchronous invocation takes. The emulator cuts longer events off in silence."""
MB_PER_CPU = 1769
"""Memory at which Lambda gives one whole virtual CPU; for less memory, less of it."""
_OWN_MB = 48
"""Held by the emulator and the client, which here share the function's limit: 15 MB of
their own at rest, up to 60 MB while an event of 6 MB passes."""
_QEMU_MB = 256
"""Held by QEMU, several times over, for its translations of the code."""
_SECONDS_TO_START = 60
_TAIL_LINES = 25


class FunctionFailed(Exception):
    """The function was run and did not answer. The message ends with the last of its log."""

    def __init__(self, problem: str, log: str) -> None:
        tail = "\n".join(log.splitlines()[-_TAIL_LINES:])
        super().__init__(f"{problem}\nThe end of its log:\n{tail}" if tail else problem)
        self.problem = problem
        """In one line, without the log."""


class EventTooLarge(FunctionFailed):
    """The event is larger than Lambda takes, so it was not sent."""


class Function:
    """A function in its sandbox. The sandbox is started; Init runs with the first event."""

    def __init__(
        self, spec: FunctionSpec, at: World, limits: cgroups.Limits, channel: Channel
    ) -> None:
        self.where = at.where
        self.notes = (*at.notes, *limits.notes, *_memory_notes(at, limits))
        self.emulated = at.emulated
        """Whether the processor is; then no time that was measured means anything."""
        self.cold_start_seconds: float | None = None
        """From the first event to its answer, Init included, as seen in the sandbox."""
        self.seconds: float | None = None
        """From the last event to its answer, as seen in the sandbox."""
        self.limits = limits
        self._spec, self._channel = spec, channel
        self._one_at_a_time = threading.Lock()
        self._peak: int | None = None

    def invoke(self, event: Mapping[str, object] | bytes, *, timeout: float) -> bytes:
        """The function's answer, as the JSON that it is.

        Raises FunctionFailed where there is none within the function's own time limit or within
        `timeout` seconds (which ends the sandbox), EventTooLarge over 6 MB.
        """
        raw = event if isinstance(event, bytes) else json.dumps(event).encode()
        if len(raw) > MAX_EVENT_BYTES:
            problem = f"the event has {len(raw)} bytes, and Lambda takes {MAX_EVENT_BYTES}"
            raise EventTooLarge(problem, log="")
        with self._one_at_a_time:
            reply = self._ask(raw, timeout)
        self.seconds, self._peak = reply.seconds, max(self._peak or 0, reply.peak_memory)
        if self.cold_start_seconds is None:
            self.cold_start_seconds = reply.seconds
        return reply.body

    def log(self) -> str:
        """The last 256 KB of what the function and the emulator printed."""
        return self._channel.log.text()

    def peak_memory(self) -> int | None:
        """Bytes of resident memory at the peaks of its processes (VmHWM); None before an answer."""
        return self._peak

    def _ask(self, event: bytes, timeout: float) -> Reply:
        kills = self.limits.kills_for_memory()
        try:
            reply = self._channel.ask(event, timeout)
            problem = _problem(reply)
        except Silence:
            problem = f"it did not answer within {timeout:g} seconds"
        except Ended:
            problem = "its sandbox ended"
        if "MemoryError" in problem or (problem and self.limits.kills_for_memory() != kills):
            problem = f"it ran out of memory: it is configured for {self._spec.memory_mb} MB"
        if problem:
            self._channel.log.settle()
            raise FunctionFailed(problem, self.log())
        return reply


@contextmanager
def start(spec: FunctionSpec, workspace: Workspace) -> Iterator[Function]:
    """Starts the function's sandbox. The thread that starts it must live as long as it.

    Raises ToolMissing or NotRun where this machine cannot run it, ConfigError where Lambda would
    not take its configuration. What is wrong with the function shows when it is first invoked.
    """
    bubblewrap.find()
    with workspace.scratch() as folder:
        at = world(spec, workspace, folder)
        with _limited(spec, at) as limits, converse(limits.command(at.command)) as channel:
            _wait_until_ready(channel)
            yield Function(spec, at, limits, channel)


def _limited(spec: FunctionSpec, at: World) -> AbstractContextManager[cgroups.Limits]:
    cpus = None if at.emulated else spec.memory_mb / MB_PER_CPU
    return cgroups.limited((spec.memory_mb + _own_mb(at)) << 20, cpus)


def _own_mb(at: World) -> int:
    return _OWN_MB + (_QEMU_MB if at.emulated else 0)


def _memory_notes(at: World, limits: cgroups.Limits) -> Iterator[str]:
    if "memory" in limits.groups:
        who = "the emulators" if at.emulated else "the emulator"
        yield (
            f"the memory limit has {_own_mb(at)} MB more than configured, for {who} within it; "
            "what the function writes to /tmp counts as its memory here, and does not on Lambda"
        )


def _wait_until_ready(channel: Channel) -> None:
    try:
        channel.hear(_SECONDS_TO_START)
    except (Silence, Ended):
        channel.log.settle()
        # Nothing of the function has run so far: this says nothing about it.
        raise NotRun(
            f"the function's sandbox could not be started: {channel.log.text().strip()}",
            hint="`deploy-target doctor` shows what is missing on this machine",
        ) from None


def _problem(reply: Reply) -> str:
    """What the answer says is wrong, or "". The emulator answers 200 to most failures."""
    if reply.status == 200 and reply.body.startswith(b"Task timed out after"):
        return f"its time was up: {reply.body.decode()}"
    said = _error(reply.body)
    if reply.status == 200 and said.keys() != _ERROR_KEYS:
        return ""
    if "errorMessage" in said:
        return f"it failed with {said.get('errorType')}: {said['errorMessage']}"
    return "its process ended, for the reason in its log"


_ERROR_KEYS = {"errorMessage", "errorType", "requestId", "stackTrace"}
"""What awslambdaric answers for a handler that raised, and no API's answer looks like."""


def _error(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
