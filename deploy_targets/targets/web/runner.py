"""Opens a web bundle where it will live: a page in a real browser, served as a host would.

The page asks its own model, `run` for tensors and `predict` for raw bytes. Questions and answers
travel over the loopback port beside the bundle's files, as safetensors, or as JSON where the answer
is words: a browser's remote control is slow for megabytes. Whatever the page complains of fails the
call during which it was heard. To add a way to run a bundle, add a line to `LANES`.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from deploy_targets.errors import NotRun
from deploy_targets.integrations import chromium, firefox, static_site
from deploy_targets.integrations.pages import Browser, Page, PageFailed
from deploy_targets.integrations.static_site import Site
from deploy_targets.records import BYTES, Answer, Bundle, Call, Manifest
from deploy_targets.runtime import Session
from deploy_targets.stages import said
from deploy_targets.workspace import Workspace


@dataclass(frozen=True)
class Way:
    """How a lane is run."""

    browser: str
    threads: int = 1
    gpu: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """What the page gives to `load`. A verdict on every case needs no self-check before it."""
        prefer = "webgpu" if self.gpu else "wasm"
        return {"check": False, "threads": self.threads, "prefer": prefer}


LANES = {
    "wasm-1t": Way("chromium"),
    "wasm-2t": Way("chromium", threads=2),
    "webgpu": Way("chromium-webgpu", gpu=True),
    "firefox-1t": Way("firefox"),
}
READY = """async () => {
  const state = document.getElementById("state");
  while (state.textContent !== "ready") await new Promise((done) => setTimeout(done, 10));
  return { cores: navigator.hardwareConcurrency, isolated: crossOriginIsolated };
}"""
GPU = "async () => Boolean(await navigator.gpu?.requestAdapter())"
START = "(options) => harness.start(options)"
VISIT = """async ({ base, options: { check, ...options } }) => {
  const { load } = await import(`${base}model.mjs`);
  const model = await load(options);
  const info = model.info();
  model.close();
  return info;
}"""
"""What a site does: the folder's own module, with its self-check."""
ASK = "(question) => harness.ask(question)"


@dataclass(frozen=True)
class Patience:
    """Seconds that a page may take."""

    to_start: float = 300.0
    to_answer: float = 300.0


@contextmanager
def started(workspace: Workspace, patience: Patience = Patience()) -> Iterator[WebRunner]:
    """A runner whose browsers start when first needed, Chromium at once. Raises ToolMissing."""
    with ExitStack() as stack:
        runner = WebRunner(workspace, stack, patience)
        runner.browser("chromium")
        yield runner


class WebRunner:
    """A page of its own for each bundle and lane, in browsers that outlive both."""

    def __init__(self, workspace: Workspace, stack: ExitStack, patience: Patience) -> None:
        self._workspace, self._stack, self._patience = workspace, stack, patience
        self._browsers: dict[str, Browser] = {}

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        """Serves the bundle and loads it. Raises NotRun, ToolMissing, PageFailed."""
        way = LANES[lane]
        browser = self.browser(way.browser)
        with (
            static_site.serving(bundle.path) as site,
            browser.page(f"{site.url}harness.html") as page,
        ):
            info = self._load(page, way, lane, browser.name)
            where = f"{browser.name}, {info['runtime']}, {info['step']} ({info['why']})"
            refused = self._visited(page, way, lane, site.url)
            patience = self._patience.to_answer
            yield WebSession(page, site, bundle.manifest, way, where, patience, refused)
            page.check("answering")

    def browser(self, kind: str) -> Browser:
        """The started browser of a kind; started anew where it has crashed."""
        known = self._browsers.get(kind)
        if known is None or not known.alive:
            known = self._browsers[kind] = self._stack.enter_context(self._start(kind))
        return known

    def _start(self, kind: str) -> AbstractContextManager[Browser]:
        if kind == "firefox":
            return firefox.started(self._workspace)
        return chromium.started(*(chromium.WEBGPU if kind == "chromium-webgpu" else ()))

    def _load(self, page: Page, way: Way, lane: str, browser: str) -> dict[str, Any]:
        seconds = self._patience.to_start
        has = page.call(READY, None, doing="loading harness.html", seconds=seconds)
        _check_machine(has, way, lane)
        if way.gpu and not page.call(GPU, None, doing="looking for WebGPU", seconds=seconds):
            raise NotRun(f"{lane}: {browser} has no WebGPU", hint="try a newer Chromium")
        info = page.call(START, way.options, doing="loading the model", seconds=seconds)
        _check_step(info, way, lane)
        return dict(info)

    def _visited(self, page: Page, way: Way, lane: str, base: str) -> str:
        """Why a site could not use the bundle as it is; empty where it can.

        The questions are asked all the same: their numbers say more than a refusal.
        """
        argument = {"base": base, "options": way.options}
        try:
            info = page.call(
                VISIT, argument, doing="loading it as a site does", seconds=self._patience.to_start
            )
            _check_step(info, way, lane)
        except PageFailed as error:
            return str(error)
        return ""


class WebSession:
    """Asks the page."""

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        page: Page,
        site: Site,
        manifest: Manifest,
        way: Way,
        where: str,
        patience: float,
        refused: str = "",
    ) -> None:
        self.page, self._site, self._manifest = page, site, manifest
        self._way, self._patience, self._refused = way, patience, refused
        self.where = f"{where} on {platform.machine()}"
        self._goldens = {entry.name: entry.golden for entry in manifest.entries}

    def run(self, call: Call) -> Answer:
        """Raises PageFailed, and said.Unreadable for words that are not as they must be."""
        from safetensors.numpy import load, save

        golden = self._goldens[call.entry]
        body = save({name: np.asarray(array, order="C") for name, array in call.inputs.items()})
        with self._site.exchange.question(body) as path:
            measured = self._ask(call, golden, path)
            answered = self._site.exchange.answer(path)
        if answered is None:
            raise PageFailed(f"the page posted no answer to {call.name}")
        # What a processor takes to play a graphics card says nothing of one.
        seconds = None if self._way.gpu else measured
        if golden != BYTES:
            return Answer(load(answered), seconds, self._refused)
        gives = self._manifest.signatures[BYTES].outputs
        words = json.loads(answered)
        tensors = said.tensors_of(words, gives, self._manifest.stages)
        return Answer(tensors, seconds, self._refused)

    def _ask(self, call: Call, golden: str, path: str) -> float:
        url = self._site.url + path
        question = {"entry": call.entry, "golden": golden, "question": url, "answer": url}
        doing = f"answering {call.name}"
        told = self.page.call(ASK, question, doing=doing, seconds=self._patience)
        return float(told["seconds"])


def _check_machine(has: dict[str, Any], way: Way, lane: str) -> None:
    if has["cores"] < way.threads:
        raise NotRun(
            f"{lane} needs {way.threads} processors, and the browser sees {has['cores']}",
            hint="verify it on another machine",
        )
    if way.threads > 1 and not has["isolated"]:
        raise PageFailed(
            f"{lane}: the page is not cross-origin isolated: {static_site.HEADERS} does not send "
            "Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy"
        )


def _check_step(info: dict[str, Any], way: Way, lane: str) -> None:
    """A page that fell back says so, and then this lane was not what ran."""
    if way.gpu and info["step"] != "webgpu":
        raise PageFailed(f"{lane}: the page took {info['step']} instead: {info['why']}")
    if not way.gpu and info["threads"] != way.threads:
        raise PageFailed(
            f"{lane} asks for {way.threads} threads, and the page got {info['threads']}: "
            f"{info['why']}"
        )
