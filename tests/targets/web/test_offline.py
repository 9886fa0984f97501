"""A visitor who comes back without a network: the page, its threads and the model are there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from deploy_targets.integrations import static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.records import Bundle, Check

from .browsing import ask, call, copied, is_right, load, opened, replaced
from .test_sharing import another

INSTALLED = """async () => {
  const registration = await navigator.serviceWorker.ready;
  return [registration.active !== null, navigator.serviceWorker.controller !== null];
}"""


def test_a_reload_works_when_the_server_is_gone(
    bundle: Bundle, browser: Chromium, check: Check
) -> None:
    with ExitStack() as stack:
        with static_site.serving(bundle.path) as site:
            tab = stack.enter_context(browser.page(site.url))
            assert call(tab, INSTALLED)[0] is True
            assert load(tab, site.url)["threads"] == 2
            assert is_right(ask(tab, check), check)
        # The server has really stopped, and the browser believes itself offline, too.
        _reload(tab, offline=False)
        _holds(tab, site.url, check)
        _reload(tab, offline=True)
        _holds(tab, site.url, check)


def test_a_host_that_is_broken_or_silent_is_no_host_but_what_it_took_away_is_gone(
    bundle: Bundle, browser: Chromium, check: Check
) -> None:
    with ExitStack() as stack:
        with static_site.serving(bundle.path) as site:
            tab = stack.enter_context(browser.page(site.url))
            assert call(tab, INSTALLED)[0] is True
            load(tab, site.url)
        for status in (503, None):
            with _answering(site.url, status):
                _reload(tab, offline=False)
                _holds(tab, site.url, check)
        with _answering(site.url, 404):
            _reload(tab, offline=False)
            assert tab.loop.run(tab.page.evaluate("() => document.body.innerText"), 60) == "404"
            tab.complaints.clear()


@contextmanager
def _answering(url: str, status: int | None) -> Iterator[None]:
    """A server at that URL which answers everything alike; None: it never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status is None:
                over.wait(60)
                return
            body = str(status).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Nothing: the test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", urlsplit(url).port or 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            server.shutdown()
            thread.join()


def test_a_page_that_the_host_sends_instead_of_a_file_is_never_kept(
    bundle: Bundle, browser: Chromium, tmp_path: Path
) -> None:
    folder = copied(bundle, tmp_path / "host")
    [model] = folder.glob("assets/model.*.onnx")
    model.write_text("<!doctype html>")
    with opened(browser, folder) as (tab, base):
        state, kept = call(tab, REGISTERED, base)
    assert state == "redundant"
    assert not [url for url in kept if url.endswith(".onnx")]


def test_a_page_from_before_a_deploy_loads_the_model_with_the_modules_of_its_version(
    bundle: Bundle, browser: Chromium, check: Check, tmp_path: Path
) -> None:
    folder = another(bundle, tmp_path / "host")
    code = json.loads((folder / "model.json").read_text())["code"]
    with opened(browser, folder) as (tab, base):
        call(tab, "async (base) => void (await import(`${base}model.mjs`))", base)
        (folder / f"code.{code}").rename(folder / "code.0123456789ab")
        replaced(folder, "model.json", code, "0123456789ab")
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        load(tab, base, check=False)
        assert is_right(ask(tab, check), check, plus=1.0)
    assert f"{base}code.0123456789ab/model.mjs" in asked


def _reload(tab: Tab, *, offline: bool) -> None:
    async def reload() -> None:
        await tab.page.context.set_offline(offline)
        await tab.page.reload()

    tab.loop.run(reload(), 60)


def _holds(tab: Tab, base: str, check: Check) -> None:
    """All but the network's own complaints: what is asked of it first cannot be had."""
    state = tab.loop.run(tab.page.evaluate("() => [crossOriginIsolated, document.title]"), 60)
    assert state[0] is True
    assert state[1]
    tab.loop.run(tab.page.evaluate(LOADED, base), 60)
    image = check.call.inputs["image"]
    question = {"data": image.ravel().tolist(), "shape": list(image.shape)}
    said = tab.loop.run(tab.page.evaluate(ASKED, question), 60)
    assert said["threads"] == 2
    assert is_right(said, check)
    other = [one for one in tab.complaints if not _is_of_the_network(one)]
    assert other == []
    tab.complaints.clear()


def _is_of_the_network(complaint: str) -> bool:
    return "could not be fetched" in complaint or "Failed to load resource" in complaint


REGISTERED = """async (base) => {
  const { installing } = await navigator.serviceWorker.register(`${base}sw.js`);
  const states = ["redundant", "activated"];
  await new Promise((done) => {
    const look = () => states.includes(installing.state) && done();
    installing.addEventListener("statechange", look);
    look();
  });
  const kept = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) kept.push(url);
  }
  return [installing.state, kept];
}"""
LOADED = """async (base) => {
  const { load } = await import(`${base}model.mjs`);
  globalThis.model = await load();
}"""
ASKED = """async ({ data, shape }) => {
  const image = { data: Float32Array.from(data), shape };
  const { logits } = await globalThis.model.run({ image });
  return { logits: [...logits.data], threads: globalThis.model.info().threads };
}"""
