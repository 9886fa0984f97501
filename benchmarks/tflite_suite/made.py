"""One process for all cases: importing onnx2tf costs more than a case does."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

import one_file  # type: ignore[import-not-found]

SECONDS = 30


def files(orders: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Per folder: "" where onnx2tf wrote its file there, else why it did not."""
    return {home: _made(home, order) for home, order in orders.items()}


def _made(home: str, order: dict[str, Any]) -> str:
    try:
        with _in_time():
            one_file.write(**order, folder=home)
    except BaseException as error:  # it ends itself, too
        return f"refused: {type(error).__name__}: {error}"[:400]
    return ""


@contextlib.contextmanager
def _in_time() -> Any:
    def stop(*_: object) -> None:
        raise TimeoutError(f"it took longer than {SECONDS} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
