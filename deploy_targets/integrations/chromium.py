"""The system's Chromium, driven through Playwright: pages whose complaints are heard.

In: a URL. Out: a page on which JavaScript can be run. What it, its workers or its security policy
complain of, and what it could not fetch, fails the call during which it was heard. Another browser
of the family is named by the environment variable DEPLOY_TARGET_CHROMIUM.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.integrations import loop as loops
from deploy_targets.integrations import pages
from deploy_targets.integrations.loop import Loop
from deploy_targets.integrations.pages import PageFailed

if TYPE_CHECKING:
    from playwright import async_api as playwright

VARIABLE = "DEPLOY_TARGET_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = f"install it (Debian: apt-get install chromium) or name another by {VARIABLE}"
QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    # Containers have little of it, and a tab that finds none left crashes.
    "--disable-dev-shm-usage",
)
WEBGPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
"""WebGPU computed by the processor: right answers, and times that say nothing."""
SECONDS_TO_OPEN, SECONDS_TO_LOAD, SECONDS_TO_CLOSE = 60.0, 60.0, 20.0


def find() -> str:
    """The browser's program. Raises ToolMissing."""
    if named := os.environ.get(VARIABLE):
        if path := shutil.which(named):
            return path
        raise ToolMissing(
            f"{VARIABLE} names {named}, which is no program", hint="give the path of a Chromium"
        )
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise ToolMissing("Chromium was not found", hint=INSTALL)
    return found


@contextmanager
def started(*flags: str) -> Iterator[Chromium]:
    """A browser without a window. Raises ToolMissing."""
    with loops.running() as loop, loop.entered(_launched(flags)) as browser:
        yield Chromium(browser, loop)


class Chromium:
    """A started browser."""

    def __init__(self, browser: playwright.Browser, loop: Loop) -> None:
        self.browser, self.loop = browser, loop
        self.wedged = False

    @property
    def name(self) -> str:
        """With its version."""
        return f"Chromium {self.browser.version}"

    @property
    def alive(self) -> bool:
        """Whether it can still open pages."""
        return self.browser.is_connected() and not self.wedged

    @contextmanager
    def page(self, url: str) -> Iterator[Tab]:
        """A page in a context of its own, loaded. Raises PageFailed, NotRun."""
        tab = self._opened()
        try:
            tab.load(url)
            yield tab
        finally:
            tab.close()

    def _opened(self) -> Tab:
        """An empty page. What goes wrong before anything is loaded says nothing of a bundle."""
        from playwright.async_api import Error

        try:
            return self.loop.run(self._tab(), SECONDS_TO_OPEN)
        except TimeoutError as error:
            self.wedged = True
            why = f"no answer in {SECONDS_TO_OPEN:.0f} s"
            raise NotRun(f"{self.name} opened no page: {why}", hint="run it again") from error
        except Error as error:
            why = error.message.splitlines()[0]
            raise NotRun(f"{self.name} opened no page: {why}", hint="run it again") from error

    async def _tab(self) -> Tab:
        context = await self.browser.new_context()
        await context.add_init_script(pages.LISTEN)
        tab = Tab(self.loop, await context.new_page())
        # Playwright keeps to itself what a worker's security policy has blocked.
        log = await context.new_cdp_session(tab.page)
        log.on("Log.entryAdded", tab.hear_worker)
        await log.send("Log.enable")
        return tab


class Tab:
    """A page. `page` is Playwright's own, for use on the browser's loop: `tab.run(page.…)`."""

    def __init__(self, loop: Loop, page: playwright.Page) -> None:
        self.loop, self.page = loop, page
        self.complaints: list[str] = []
        self.crashed = False
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("requestfailed", self._miss)
        page.on("response", self._look)
        page.on("crash", self._crash)

    def load(self, url: str) -> None:
        """Goes there, whatever was loaded before. Raises PageFailed."""
        self.run(self._goto(url), doing=f"loading {url}")

    def call(self, script: str, argument: object, *, doing: str, seconds: float) -> Any:
        """What a function in JavaScript returns, or its promise. Raises PageFailed."""
        return self.run(self.page.evaluate(script, argument), doing=doing, seconds=seconds)

    def on(self, event: str, heard: Callable[[Any], None]) -> None:
        """Calls `heard` with each of Playwright's events of that name, on the browser's loop."""
        self.loop.run(self._on(event, heard))

    def check(self, doing: str) -> None:
        """Raises PageFailed where something was complained of since it was last looked."""
        self.loop.run(asyncio.sleep(0.05))
        pages.refuse(self.complaints, doing)

    def run(self, work: Any, *, doing: str = "asked", seconds: float = SECONDS_TO_LOAD) -> Any:
        """What a coroutine of Playwright returns. Raises PageFailed."""
        from playwright.async_api import Error

        try:
            value = self.loop.run(work, seconds)
        except TimeoutError as error:
            heard = f"; it complained: {'; '.join(self.complaints)}" if self.complaints else ""
            raise PageFailed(f"no answer in {seconds:.0f} s while {doing}{heard}") from error
        except Error as error:
            raise PageFailed(self._why(error.message, doing)) from error
        pages.refuse(self.complaints, doing)
        return value

    def close(self) -> None:
        """Ends the page, and all that is kept for it."""
        self.loop.run(self._close())

    async def _close(self) -> None:
        # What could not be closed ends with the browser.
        await _patiently(self.page.context.close())

    async def _on(self, event: Any, heard: Callable[[Any], None]) -> None:
        self.page.on(event, heard)

    async def _goto(self, url: str) -> None:
        await self.page.goto(url)

    def _why(self, message: str, doing: str) -> str:
        if self.crashed or "crashed" in message:
            return f"the tab crashed while {doing}: out of memory, or a fault of the browser"
        # Playwright says which of its own functions was called, and where: for nobody here.
        said = re.sub(r"^\w+\.\w+: ", "", message).splitlines()[0]
        heard = list(dict.fromkeys(self.complaints))
        self.complaints.clear()
        return "; ".join([f"while {doing}: {said}", *heard])

    def _hear(self, said: playwright.ConsoleMessage) -> None:
        if said.type in ("error", "warning", "assert"):
            where = said.location.get("url") or "the page"
            self.complaints.append(f"{said.text} ({where})")

    def hear_worker(self, said: dict[str, Any]) -> None:
        """What the browser's log has of workers, those that workers started among them."""
        entry = said["entry"]
        if entry["source"] == "worker" and entry["level"] in ("error", "warning"):
            self.complaints.append(f"{entry['text']} ({entry.get('url') or 'a worker'})")

    def _miss(self, asked: playwright.Request) -> None:
        self.complaints.append(f"{asked.url} could not be fetched: {asked.failure}")

    def _look(self, answer: playwright.Response) -> None:
        if answer.status >= pages.LEAST_STATUS:
            self.complaints.append(f"{answer.url} could not be fetched: HTTP {answer.status}")

    def _crash(self, _: playwright.Page) -> None:
        self.crashed = True


@asynccontextmanager
async def _launched(flags: tuple[str, ...]) -> AsyncIterator[playwright.Browser]:
    try:
        from playwright.async_api import Error, async_playwright
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "a browser is driven by playwright, which is not installed",
            hint="pip install 'deploy-targets[web]'",
        ) from error
    path = find()
    # Chromium's own sandbox does not start for root.
    arguments = [*QUIET, *flags, *(["--no-sandbox"] if getattr(os, "getuid", int)() == 0 else [])]
    async with async_playwright() as driver:
        try:
            browser = await driver.chromium.launch(executable_path=path, args=arguments)
        except Error as error:
            said = error.message.splitlines()[0]
            raise ToolMissing(f"{path} did not start: {said}", hint=INSTALL) from error
        try:
            yield browser
        finally:
            # A browser that does not close is ended by the driver, half a minute later.
            await _patiently(browser.close())


async def _patiently(closing: Coroutine[Any, Any, None]) -> None:
    """Waits no longer than SECONDS_TO_CLOSE, whatever comes of it."""
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait({task}, timeout=SECONDS_TO_CLOSE)
    for one in done:
        one.exception()
