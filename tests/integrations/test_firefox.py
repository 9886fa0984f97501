"""Pages of the real Firefox: what they answer, and that what they complain of is heard."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_targets.errors import NotRun
from deploy_targets.integrations import firefox, static_site
from deploy_targets.integrations.firefox import Firefox, Tab
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.integrations.static_site import Site
from deploy_targets.workspace import Workspace

from . import little_site

HERE = any(shutil.which(name) for name in firefox.NAMES)
needs_firefox = pytest.mark.skipif(not HERE, reason="Firefox is not on this machine")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with static_site.serving(little_site.write(tmp_path_factory.mktemp("site"))) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    with firefox.started(Workspace()) as started:
        yield started


def ask(page: Tab, script: str, argument: object = None, seconds: float = 20) -> object:
    answer = page.call(script, argument, doing="being tried", seconds=seconds)
    page.check("being tried")
    return answer


@needs_firefox
def test_a_page_answers(browser: Firefox, site: Site) -> None:
    assert browser.name.startswith("Firefox ")
    with browser.page(site.url) as page:
        assert ask(page, "(number) => little.double(number)", 21) == 42
        assert ask(page, "() => crossOriginIsolated") is True
        with site.exchange.question(b"bytes") as path:
            url = site.url + path
            assert ask(page, "(urls) => little.echo(urls)", {"question": url, "answer": url}) == 5
            assert site.exchange.answer(path) == b"bytes"


@needs_firefox
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("() => little.wrong()", "while being tried: TypeError: no such tensor"),
        ("() => little.warn()", "careful"),
        ("() => little.late()", "too late"),
        ("() => little.missing()", "missing.bin could not be fetched: HTTP 404"),
        ("() => little.inline()", "the Content Security Policy (script-src-elem) was violated"),
        ("() => little.worker('error')", "the worker is not well"),
    ],
)
def test_what_a_page_complains_of_fails_it(
    browser: Firefox, site: Site, script: str, said: str
) -> None:
    with browser.page(site.url) as page:
        with pytest.raises(PageFailed, match="while being tried") as caught:
            ask(page, script)
        assert said in str(caught.value)
        assert ask(page, "() => little.double(1)") == 2, "it was said once"


def test_what_is_missing_is_said_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workspace: Workspace
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotRun, match="Firefox was not found") as caught:
        firefox.find()
    assert "apt-get install firefox-esr" in caught.value.hint
    browser = tmp_path / "firefox"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    with pytest.raises(NotRun, match="node was not found"), firefox.started(workspace):
        pass
    monkeypatch.setenv(firefox.VARIABLE, "/no/such/browser")
    with pytest.raises(NotRun, match=f"{firefox.VARIABLE} names /no/such/browser"):
        firefox.find()


@needs_firefox
def test_a_page_that_is_busy_for_ever_is_ended_with_its_browser(
    browser: Firefox, site: Site
) -> None:
    # The last one here: nobody can ask this browser anything afterwards.
    with (
        pytest.raises(PageFailed, match="while being tried: no answer in 1 s"),
        browser.page(site.url) as page,
    ):
        ask(page, "() => little.busy()", seconds=1)
    assert not browser.alive
    with pytest.raises(PageFailed, match="driver ended"), browser.page(site.url):
        pass
    running = subprocess.run(["ps", "-p", str(browser.process)], capture_output=True, check=False)
    assert running.returncode != 0, "Firefox itself is gone, too"
