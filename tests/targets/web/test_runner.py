"""Lanes of a web bundle: what passes, and that nothing passes by mistake."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy_targets import registry
from deploy_targets.choose import world
from deploy_targets.errors import NotRun
from deploy_targets.integrations import firefox
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Outcome
from deploy_targets.records import Bundle, Check
from deploy_targets.targets.web.runner import Patience, WebRunner
from deploy_targets.verdicts import Row, Verdict
from deploy_targets.workspace import Workspace

from .browsing import copied, planted, replaced

HARNESS = "code.*/harness.mjs"


@pytest.fixture(scope="module")
def runner() -> Iterator[WebRunner]:
    with ExitStack() as stack:
        yield WebRunner(Workspace(), stack, Patience(to_start=30, to_answer=30))


@pytest.fixture
def spoilt(bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy, to be changed by the test; it is opened as it then is."""
    return dataclasses.replace(bundle, path=copied(bundle, tmp_path / "spoilt"))


def row(bundle: Bundle, runner: WebRunner, lane: str) -> Row:
    [found] = verify(bundle, runner, [lane])
    return found


def test_every_lane_passes_and_says_where_it_ran(outcome: Outcome) -> None:
    rows = {row.lane: row for row in outcome.report.rows}
    assert {lane: row.verdict for lane, row in rows.items()} == {
        "wasm-1t": Verdict.PASS,
        "wasm-2t": Verdict.PASS,
        "webgpu": Verdict.PASS,
    }
    assert "Chromium" in rows["wasm-1t"].where
    assert "onnxruntime-web" in rows["wasm-1t"].where
    assert "wasm, 1 thread " in rows["wasm-1t"].where
    assert "wasm, 2 threads " in rows["wasm-2t"].where
    assert ", webgpu (" in rows["webgpu"].where
    for lane in ("wasm-1t", "wasm-2t"):
        assert rows[lane].seconds is not None
        assert rows[lane].seconds > 0
    assert rows["webgpu"].seconds is None, "a processor that plays a graphics card says nothing"


def test_two_threads_are_really_there(bundle: Bundle, runner: WebRunner) -> None:
    counts = {}
    for lane in ("wasm-1t", "wasm-2t"):
        with runner.open(bundle, lane) as session:
            counts[lane] = len(session.page.page.workers)  # type: ignore[attr-defined]
    assert counts["wasm-2t"] == counts["wasm-1t"] + 1


def test_a_site_that_does_not_isolate_its_pages_fails_with_two_threads_only(
    spoilt: Bundle, runner: WebRunner
) -> None:
    replaced(spoilt.path, "_headers", "Cross-Origin-Embedder-Policy", "X-Nothing")
    two = row(spoilt, runner, "wasm-2t")
    assert two.verdict is Verdict.FAIL
    assert "not cross-origin isolated" in two.reason
    assert row(spoilt, runner, "wasm-1t").verdict is Verdict.PASS


def test_a_page_that_gets_fewer_threads_than_its_lane_fails(
    spoilt: Bundle, runner: WebRunner
) -> None:
    # As if there were no shared memory, of which the page itself does not know.
    replaced(
        spoilt.path,
        "code.*/ladder.mjs",
        "crossOriginIsolated === true",
        "crossOriginIsolated === 1",
    )
    found = row(spoilt, runner, "wasm-2t")
    assert found.verdict is Verdict.FAIL
    assert "wasm-2t asks for 2 threads, and the page got 1" in found.reason


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('console.error("not well");', "not well"),
        ('console.warn("careful");', "careful"),
        ('setTimeout(() => { throw new Error("too late"); }, 0);', "too late"),
        ('await fetch("no-such-file");', "no-such-file could not be fetched: HTTP 404"),
        ('document.body.setAttribute("onclick", "1");', "Content Security Policy"),
        ('await fetch("https://elsewhere.invalid/").catch(() => 0);', "Content Security Policy"),
    ],
)
def test_what_a_page_complains_of_fails_its_lane(
    spoilt: Bundle, runner: WebRunner, code: str, said: str
) -> None:
    planted(spoilt.path, HARNESS, code)
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert said in found.reason


def test_what_its_worker_complains_of_fails_the_lane(spoilt: Bundle, runner: WebRunner) -> None:
    planted(spoilt.path, "code.*/worker.mjs", 'console.error("the worker is not well");')
    _described(spoilt.path)
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert "the worker is not well" in found.reason


def _described(folder: Path) -> None:
    """What model.json says of the worker as it now is: an honest mistake, and no changed byte."""
    [worker] = folder.glob("code.*/worker.mjs")
    about = json.loads((folder / "model.json").read_text())
    for file in about["files"].values():
        if file["path"].endswith("worker.mjs"):
            file["size"] = worker.stat().st_size
            file["sha256"] = hashlib.sha256(worker.read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(about))


def test_a_bundle_that_no_site_could_load_fails_with_its_numbers(
    spoilt: Bundle, runner: WebRunner
) -> None:
    (spoilt.path / "model.mjs").write_text("export const load = 'nothing';\n")
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert "loading it as a site does" in found.reason
    assert found.parity


def test_a_self_check_that_fails_fails_the_lane(spoilt: Bundle, runner: WebRunner) -> None:
    # As if this browser computed otherwise, in the one question that every page asks first.
    manifest = spoilt.path / "deploy-target.json"
    bounds = json.loads(manifest.read_text())
    for bound in bounds["bounds"]["fp32"]["tensors"].values():
        bound.update({key: 0.0 for key in ("whole", "part", "element", "budget")})
    manifest.write_text(json.dumps(bounds))
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert "loading it as a site does" in found.reason


def test_an_inline_script_fails_the_lane(spoilt: Bundle, runner: WebRunner) -> None:
    replaced(spoilt.path, "harness.html", "<body>", "<body><script>window.was = 1</script>")
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert "Content Security Policy" in found.reason


def test_a_page_that_never_answers_fails_and_says_what_it_was_doing(
    spoilt: Bundle, check: Check
) -> None:
    late = "setTimeout(() => { globalThis.harness.ask = () => new Promise(() => {}); }, 0);"
    planted(spoilt.path, HARNESS, late)
    with ExitStack() as stack:
        impatient = WebRunner(Workspace(), stack, Patience(to_answer=1.0))
        found = row(spoilt, impatient, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert f"no answer in 1 s while answering {check.call.name}" in found.reason


def test_a_page_that_posts_no_answer_fails(spoilt: Bundle, runner: WebRunner) -> None:
    quiet = (
        "(url, how) => (how?.method === 'POST' ? Promise.resolve({ ok: true }) : plain(url, how))"
    )
    planted(spoilt.path, HARNESS, f"const plain = fetch;\nglobalThis.fetch = {quiet};")
    found = row(spoilt, runner, "wasm-1t")
    assert found.verdict is Verdict.FAIL
    assert "the page posted no answer" in found.reason


def test_a_complaint_after_the_last_answer_fails_the_lane_too(
    bundle: Bundle, runner: WebRunner, check: Check
) -> None:
    late = "() => { setTimeout(() => console.error('at the end'), 40); }"

    def asked() -> None:
        with runner.open(bundle, "wasm-1t") as session:
            session.run(check.call)
            session.page.call(late, None, doing="asked", seconds=9)  # type: ignore[attr-defined]

    with pytest.raises(PageFailed, match="the page complained: at the end"):
        asked()


def test_a_browser_that_died_is_started_again(
    bundle: Bundle, runner: WebRunner, check: Check
) -> None:
    first = runner.browser("chromium")
    first.loop.run(first.browser.close())  # type: ignore[attr-defined]
    assert not first.alive
    with runner.open(bundle, "wasm-1t") as session:
        assert session.run(check.call).outputs
    assert runner.browser("chromium") is not first


def test_without_chromium_a_lane_is_not_run_and_says_what_to_install(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with world(registry.load("web"), Workspace()) as absent:
        [found] = verify(bundle, absent, ["wasm-1t"])
    assert found.verdict is Verdict.NOT_RUN
    assert "Chromium was not found (install it" in found.reason


def test_without_firefox_its_lane_is_not_run(
    bundle: Bundle, runner: WebRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(firefox.VARIABLE, "/no/such/firefox")
    with pytest.raises(NotRun, match="which is no program"), runner.open(bundle, "firefox-1t"):
        pass


@pytest.mark.skipif(
    not any(shutil.which(name) for name in firefox.NAMES), reason="Firefox is not on this machine"
)
def test_firefox_answers_as_the_original_does(
    bundle: Bundle, runner: WebRunner, check: Check
) -> None:
    with runner.open(bundle, "firefox-1t") as session:
        assert session.where.startswith("Firefox ")
        found = session.run(check.call)
    assert found.outputs["logits"] == pytest.approx(check.expected["logits"], abs=1e-4)
    assert found.seconds is not None
