"""Pages of the real Chromium: what they answer, and that nothing they complain of is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import chromium, static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.integrations.static_site import Site

from . import little_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with static_site.serving(little_site.write(tmp_path_factory.mktemp("site"))) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium.started() as started:
        yield started


@pytest.fixture
def page(browser: Chromium, site: Site) -> Iterator[Tab]:
    with browser.page(site.url) as opened:
        yield opened


def ask(page: Tab, script: str, argument: object = None, seconds: float = 20) -> object:
    answer = page.call(script, argument, doing="being tried", seconds=seconds)
    page.check("being tried")
    return answer


def test_a_page_answers(page: Tab, browser: Chromium) -> None:
    assert ask(page, "(number) => little.double(number)", 21) == 42
    assert browser.name.startswith("Chromium ")


def test_a_page_is_isolated_as_its_headers_say(page: Tab) -> None:
    assert ask(page, "() => crossOriginIsolated") is True


def test_what_a_page_throws_is_said_with_its_type(page: Tab) -> None:
    with pytest.raises(PageFailed, match=r"^while being tried: TypeError: no such tensor$"):
        ask(page, "() => little.wrong()")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("() => little.warn()", "careful"),
        ("() => little.late()", "too late"),
        ("() => little.missing()", "missing.bin could not be fetched: HTTP 404"),
        ("() => little.inline()", "Content Security Policy"),
        ("() => little.worker('error')", "the worker is not well"),
        ("() => little.worker('elsewhere')", "Connecting to 'https://elsewhere.invalid/' violates"),
        ("() => little.worker('nested')", "Connecting to 'https://elsewhere.invalid/' violates"),
    ],
)
def test_what_a_page_complains_of_fails_it(page: Tab, script: str, said: str) -> None:
    with pytest.raises(PageFailed, match="while being tried the page complained") as caught:
        ask(page, script)
    assert said in str(caught.value)
    # A breach of the policy is told twice, by the browser and by the page, and not at one time.
    page.loop.run(asyncio.sleep(0.5))
    page.complaints.clear()
    assert ask(page, "() => little.double(1)") == 2, "it is held against what was asked then alone"


def test_a_page_that_never_answers_is_not_waited_for(page: Tab) -> None:
    with pytest.raises(PageFailed, match="no answer in 1 s while being tried"):
        ask(page, "() => little.never()", seconds=1)


def test_a_page_that_is_busy_for_ever_can_be_left(browser: Chromium, site: Site) -> None:
    with pytest.raises(PageFailed, match="no answer in 1 s"), browser.page(site.url) as page:
        ask(page, "() => little.busy()", seconds=1)
    with browser.page(site.url) as page:
        assert ask(page, "() => little.double(2)") == 4


def test_a_tab_that_crashes_is_said_and_is_the_end_of_no_other(
    browser: Chromium, site: Site
) -> None:
    with browser.page(site.url) as other:
        with browser.page(site.url) as page, pytest.raises(PageFailed, match="the tab crashed"):
            page.run(_crash(page), doing="crashing")
        assert browser.alive
        assert ask(other, "() => little.double(3)") == 6


async def _crash(page: Tab) -> None:
    """As when memory is out: while the page is asked."""
    asked = asyncio.ensure_future(page.page.evaluate("() => little.never()"))
    session = await page.page.context.new_cdp_session(page.page)
    crash = asyncio.ensure_future(session.send("Page.crash"))
    try:
        await asked
    finally:
        crash.cancel()


def test_a_page_that_is_not_there_is_said(browser: Chromium, site: Site) -> None:
    with (
        pytest.raises(PageFailed, match=r"nothing\.html could not be fetched: HTTP 404"),
        browser.page(f"{site.url}nothing.html"),
    ):
        pass


def test_megabytes_travel_beside_the_remote_control(page: Tab, site: Site) -> None:
    body = bytes(range(256)) * 40_000
    with site.exchange.question(body) as path:
        url = site.url + path
        size = ask(page, "(urls) => little.echo(urls)", {"question": url, "answer": url})
        assert size == len(body)
        assert site.exchange.answer(path) == body


def test_pages_share_nothing(browser: Chromium, site: Site) -> None:
    with browser.page(site.url) as one, browser.page(site.url) as two:
        ask(one, "() => localStorage.setItem('seen', 'yes')")
        assert ask(one, "() => localStorage.getItem('seen')") == "yes"
        assert ask(two, "() => localStorage.getItem('seen')") is None


def test_it_is_driven_from_within_an_event_loop_too(browser: Chromium, site: Site) -> None:
    async def notebook() -> object:
        with browser.page(site.url) as page:
            return ask(page, "() => little.double(4)")

    assert asyncio.run(notebook()) == 8


def test_a_browser_that_is_not_there_is_a_tool_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="Chromium was not found") as caught:
        chromium.find()
    assert "apt-get install chromium" in caught.value.hint


def test_another_browser_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "browser"
    monkeypatch.setenv(chromium.VARIABLE, str(other))
    with pytest.raises(ToolMissing, match=f"{chromium.VARIABLE} names {other}"):
        chromium.find()
    other.write_text("#!/bin/sh\necho no browser >&2; exit 3\n")
    other.chmod(0o755)
    assert chromium.find() == str(other)
    with pytest.raises(ToolMissing, match="did not start"), chromium.started():
        pass
