"""An event loop in a thread of its own, for what lives on one: a browser's driver, a server.

In: coroutines, from whichever thread, an asyncio program's or a notebook's among them. Out: what
they return. Playwright's objects belong to the thread that made them, and its plain interface
refuses to run where a loop already does; behind this door neither is seen.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """What the coroutine returns. Raises TimeoutError; it then goes on until the loop ends.

        It is not cancelled: Playwright answers a cancelled call twice, and fails the next one.
        """
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(seconds)

    @contextmanager
    def entered(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """An asynchronous context as a plain one; it is left without being told of errors."""
        value = self.run(manager.__aenter__())
        try:
            yield value
        finally:
            self.run(manager.__aexit__(None, None, None))

    def close(self) -> None:
        """Ends what still runs on it."""
        self.run(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()
        await asyncio.get_running_loop().shutdown_default_executor()


@contextmanager
def running() -> Iterator[Loop]:
    """A loop, until the context ends."""
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()
