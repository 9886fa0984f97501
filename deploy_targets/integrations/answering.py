"""A child process that stays and answers, message after message, until it is no longer needed.

In: a command line; the program reads messages on stdin and answers each on stdout, both as eight
bytes of length and then so many bytes. What it prints on stderr is its last words, should it die: a
crash of native code costs one question and not the build. It works the same on every platform.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LENGTH = struct.Struct("<Q")
LAST_WORDS = 1200
"""Characters of what it printed that an error quotes."""
_SECONDS_TO_END = 5.0


class Ended(Exception):
    """There is no answer, for the process ended. The message says how, and its last words."""


class Silence(Exception):
    """There is no answer in time; the process was killed, for a late one would be misplaced."""


class Answering:
    """A running child."""

    def __init__(self, process: subprocess.Popen[bytes], who: str, log: Path) -> None:
        assert process.stdin
        assert process.stdout
        self._process, self._who, self._log = process, who, log
        self._in = process.stdin
        self._heard: queue.Queue[bytes | None] = queue.Queue()
        arguments = (process.stdout, self._heard)
        self._thread = threading.Thread(target=_listen, args=arguments, daemon=True)
        self._thread.start()

    def ask(self, message: bytes, seconds: float) -> bytes:
        """Sends a message and waits for the answer. Raises Ended, Silence."""
        # Where nobody reads any more there is no answer either, and that is reported.
        with contextlib.suppress(OSError):
            self._in.write(LENGTH.pack(len(message)) + message)
            self._in.flush()
        return self.hear(seconds)

    def hear(self, seconds: float) -> bytes:
        """Waits for what it says next. Raises Ended, Silence."""
        try:
            heard = self._heard.get(timeout=seconds)
        except queue.Empty:
            self._process.kill()
            raise Silence(f"{self._who} did not answer within {seconds:g} s") from None
        if heard is None:
            self._heard.put(None)  # for whoever asks again
            raise Ended(f"{self._who} {_end(self._exit_code())}{self._last_words()}")
        return heard

    def log(self) -> str:
        """All that it printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Lets it end by itself, or ends it."""
        with contextlib.suppress(OSError):
            self._in.close()
        self._exit_code()
        self._thread.join()
        assert self._process.stdout
        self._process.stdout.close()

    def _exit_code(self) -> int:
        """Of a process that has nothing more to say, and is given some seconds to end."""
        try:
            return self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _last_words(self) -> str:
        said = self.log().strip()
        return f"; its last words: {said[-LAST_WORDS:]}" if said else ""


@contextmanager
def started(
    command: Sequence[str],
    folder: Path,
    *,
    who: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Answering]:
    """Starts the command, and ends it with the block. `folder` keeps what it prints.

    `environment`: all that it sees, where that shall not be ours.
    """
    log = folder / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            # Ctrl-C reaches only us, and we end things in our order.
            start_new_session=os.name == "posix",
        )
    child = Answering(process, who, log)
    try:
        yield child
    finally:
        child.close()


def _listen(stream: IO[bytes], heard: queue.Queue[bytes | None]) -> None:
    """Passes on each whole message; None where the stream ends."""
    while len(start := stream.read(LENGTH.size)) == LENGTH.size:
        size = LENGTH.unpack(start)[0]
        body = stream.read(size)
        if len(body) < size:
            break
        heard.put(body)
    heard.put(None)


def _end(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    memory = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"was killed by {name}{memory}"
