"""Pages that load a bundle and ask it, all in one Chromium that keeps a cache on disk.

In: a rival. Out: seconds. A page without a profile keeps its cache in memory, where a model of some
megabytes finds no room: that would be no second visit. Each visit is served from a port of its own,
which to the browser is another site, so that its first load finds nothing in the cache.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright import async_api as playwright

from deploy_targets.integrations import chromium, loop, static_site
from deploy_targets.integrations.chromium import Tab
from deploy_targets.integrations.loop import Loop
from deploy_targets.integrations.static_site import Site
from deploy_targets.targets.web.runner import ASK, READY, START

from .rivals import Rival

PATIENCE = 300.0
FETCHED = """() => performance.getEntriesByType("resource")
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""


@dataclass(frozen=True)
class Loaded:
    """Seconds that load() took and that the first answer took, and bytes that came by network."""

    seconds: float
    first: float
    fetched: int


@dataclass(frozen=True)
class Profile:
    """A started browser."""

    loop: Loop
    context: playwright.BrowserContext

    @property
    def name(self) -> str:
        """With its version."""
        browser = self.context.browser
        return f"Chromium {browser.version if browser else ''}".strip()

    @contextmanager
    def visit(self, rival: Rival) -> Iterator[Visit]:
        """The rival's page at a site that this browser has never seen; nothing is loaded yet."""
        with static_site.serving(rival.bundle.path) as site:
            tab = Tab(self.loop, self.loop.run(self.context.new_page()))
            try:
                yield Visit(rival, site, tab)
            finally:
                self.loop.run(tab.page.close())


@dataclass(frozen=True)
class Visit:
    """A page in front of one rival."""

    rival: Rival
    site: Site
    tab: Tab

    def load(self) -> Loaded:
        """Goes to the page, whatever was there before, loads the model and asks it once."""
        self.tab.load(f"{self.site.url}harness.html")
        self._call(READY, None)
        info = self._call(START, self.rival.way.options)
        if info["threads"] != self.rival.way.threads:
            raise SystemExit(f"{self.rival.name} got {info['threads']} threads: {info['why']}")
        fetched = self._call(FETCHED, None)
        return Loaded(float(info["seconds"]), self.ask(), int(fetched))

    def ask(self) -> float:
        """Seconds of one answer, measured by the page around the model's own run()."""
        call = self.rival.call
        with self.site.exchange.question(self.rival.body) as path:
            url = self.site.url + path
            asked = {"entry": call.entry, "golden": "tensors", "question": url, "answer": url}
            return float(self._call(ASK, asked)["seconds"])

    def _call(self, script: str, argument: object) -> Any:
        return self.tab.call(script, argument, doing=self.rival.name, seconds=PATIENCE)


@contextmanager
def started(profile: Path) -> Iterator[Profile]:
    """A browser that keeps its cache in this folder."""
    with loop.running() as running, running.entered(_launched(profile)) as context:
        yield Profile(running, context)


@asynccontextmanager
async def _launched(profile: Path) -> AsyncIterator[playwright.BrowserContext]:
    arguments = [*chromium.QUIET, *(["--no-sandbox"] if os.getuid() == 0 else [])]
    async with playwright.async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(
            profile, executable_path=chromium.find(), args=arguments
        )
        try:
            yield context
        finally:
            await context.close()
