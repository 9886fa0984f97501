"""A visitor who comes back without a network: the page, its threads and the model are there."""

from __future__ import annotations

from contextlib import ExitStack

from deploy_targets.integrations import static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.records import Bundle, Check

from .browsing import ask, call, is_right, load

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


LOADED = """async (base) => {
  const { load } = await import(`${base}model.mjs`);
  globalThis.model = await load();
}"""
ASKED = """async ({ data, shape }) => {
  const image = { data: Float32Array.from(data), shape };
  const { logits } = await globalThis.model.run({ image });
  return { logits: [...logits.data], threads: globalThis.model.info().threads };
}"""
