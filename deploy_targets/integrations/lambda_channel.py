"""A conversation with the client in a sandbox: events in, answers out, and the end of its log.

In comes the sandbox's command line; out goes a `Channel`. The frames are those of
`lambda_client.py`. The process is ended, and everything in its sandbox with it, when the `with`
block ends.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from deploy_targets.integrations.lambda_client import REPLY, REQUEST

_LOG_BYTES = 256 << 10
_SECONDS_TO_END = 1.0


@dataclass(frozen=True)
class Reply:
    """What the emulator answered, and what the client saw meanwhile."""

    status: int
    """Of HTTP; 0 is the client's word that it is ready."""
    seconds: float
    peak_memory: int
    """Bytes of resident memory, the peaks of the function's processes added up."""
    body: bytes


class Silence(Exception):
    """There is no answer in time; the process was killed, for a late one would be misplaced."""


class Ended(Exception):
    """There is no answer, for the process ended."""


class Channel:
    """The two pipes to a running client, and what it prints on the third."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process, self._in, self._out = process, process.stdin, process.stdout.fileno()
        self.log = _Log(process.stderr)

    def ask(self, event: bytes, timeout: float) -> Reply:
        """Sends one event and waits for its answer. Raises Silence or Ended."""
        with suppress(BrokenPipeError):  # then there is no answer either, and that is reported
            self._in.write(REQUEST.pack(len(event)) + event)
            self._in.flush()
        return self.hear(timeout)

    def hear(self, timeout: float) -> Reply:
        """Waits for one answer. Raises Silence or Ended."""
        until = time.monotonic() + timeout
        status, seconds, peak, length = REPLY.unpack(self._read(REPLY.size, until))
        return Reply(status, seconds, peak, self._read(length, until))

    def _read(self, size: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            if not select.select([self._out], [], [], max(0.0, until - time.monotonic()))[0]:
                self._process.kill()
                raise Silence
            chunk = os.read(self._out, size - len(data))
            if not chunk:
                raise Ended
            data += chunk
        return bytes(data)


@contextmanager
def converse(command: Sequence[str]) -> Iterator[Channel]:
    """Starts the command, which is to run the client, and ends it with the block."""
    pipe = subprocess.PIPE
    # In a session of its own, so that Ctrl-C reaches only us, and we end things in our order.
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    channel = Channel(process)
    try:
        yield channel
    finally:
        _end(process)
        # The pipe ends when the last process of the sandbox is gone, not only the first.
        channel.log.wait_for_end()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Lets the client end by itself, so that each process is waited for by the one that made it."""
    with suppress(BrokenPipeError, subprocess.TimeoutExpired):
        if process.stdin:
            process.stdin.close()
        process.wait(_SECONDS_TO_END)
    process.kill()
    process.wait()


class _Log:
    """The end of what is printed into a pipe, read by a thread until the pipe ends."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._chunks: deque[bytes] = deque()
        self._seen = 0
        self._thread = threading.Thread(target=self._read, args=(pipe.fileno(),), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """The last 256 KB."""
        # The runtime client ends the lines of a stack trace with a carriage return.
        text = b"".join(tuple(self._chunks)).decode(errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def settle(self) -> None:
        """Waits for what was printed just before an answer."""
        for _ in range(20):
            seen = self._seen
            self._thread.join(0.05)
            if seen == self._seen:
                return

    def wait_for_end(self) -> None:
        """Waits until nobody can print any more, but not for ever."""
        self._thread.join(10)

    def _read(self, pipe: int) -> None:
        kept = 0
        while chunk := os.read(pipe, 1 << 14):
            self._chunks.append(chunk)
            self._seen += len(chunk)
            kept += len(chunk)
            while kept > _LOG_BYTES:
                kept -= len(self._chunks.popleft())
