"""The report: what is read of a bundle, and the page that is made of it."""

from __future__ import annotations

import base64
import dataclasses
import math
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets import registry
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.parity import page, report
from deploy_targets.parity.verify import merged, verify
from deploy_targets.records import Bundle
from deploy_targets.testing.faults import FAULTS, plant
from deploy_targets.verdicts import ParityReport, Row, Verdict
from deploy_targets.workspace import Workspace


@pytest.fixture
def refused(judged: Bundle, tmp_path: Path) -> Path:
    """A bundle whose head reads shuffled channels: its logits are wrong, its features right."""
    folder = tmp_path / "net.refused"
    with registry.load("here", {}).runner(Workspace(tmp_path / "workspace")) as runner:
        planted = plant(FAULTS["channels_shuffled"], judged, runner, folder, 0)
        assert planted is not None
        opened = bundles.open_bundle(folder)
        bundles.write_report(opened, merged(opened, verify(opened, planted.runner)))
    return folder


def test_a_bundle_that_passed_is_read_whole(judged: Bundle) -> None:
    story = report.read(judged.path)
    assert (story.verdict, story.refused, story.silent) == (Verdict.PASS, False, ())
    (row,) = story.rows
    assert {out.spec.name for out in row.outputs} == {"logits", "features"}
    for out in row.outputs:
        assert out.failures == ()
        assert 0 < out.used < 1
        assert sum(out.histogram) == out.size
        assert [m.share.measure for m in out.measures][-4:] == [
            "relative L2",
            "whole output",
            "worst slice",
            "worst element",
        ]
    logits = next(out for out in row.outputs if out.spec.name == "logits")
    assert logits.tasks == {"top1": 1.0}


def test_each_measure_is_that_of_the_call_that_uses_most_of_its_bound(judged: Bundle) -> None:
    known = bundles.read_report(judged)
    assert known is not None
    parity = [p for p in known.rows[0].parity if p.output == "features"]
    (row,) = report.read(judged.path).rows
    out = next(out for out in row.outputs if out.spec.name == "features")
    worst = max(parity, key=lambda p: p.element)
    found = next(m for m in out.measures if m.share.measure == "worst element")
    assert (found.call, found.share.found) == (worst.call, worst.element)
    assert (found.expected, found.answered) == (worst.expected, worst.answered)


def test_the_three_calls_nearest_to_their_bound_are_shown_with_their_images(
    judged: Bundle,
) -> None:
    (row,) = report.read(judged.path).rows
    assert len(row.worst) == report.WORST
    assert [near.used for near in row.worst] == sorted((n.used for n in row.worst), reverse=True)
    assert len({near.call for near in row.worst}) == report.WORST
    checks = {check.call.name: check for check in bundles.read_golden(judged)}
    for near in row.worst:
        (image,) = near.inputs
        assert image.shape == checks[near.call].call.inputs["image"].shape
        assert image.images[0][0] == near.row
        best = int(np.argmax(checks[near.call].expected["logits"][near.row]))
        assert (near.classes_of, near.classes[0].index) == ("logits", best)


def test_what_failed_comes_first_and_says_why(refused: Path) -> None:
    story = report.read(refused)
    assert (story.verdict, story.refused) == (Verdict.FAIL, True)
    (row,) = story.rows
    assert [bool(out.failures) for out in row.outputs] == [True, False]
    assert row.outputs[0].spec.name == "logits"
    assert all(near.reason and near.used > 1 for near in row.worst)
    assert all(near.classes for near in row.worst)


def test_a_missing_output_has_no_numbers_and_is_shown(judged: Bundle, tmp_path: Path) -> None:
    with registry.load("here", {}).runner(Workspace(tmp_path / "workspace")) as runner:
        planted = plant(FAULTS["output_missing"], judged, runner, tmp_path / "unused")
        assert planted is not None
        bundles.write_report(judged, merged(judged, verify(judged, planted.runner)))
    story = report.read(judged.path)
    (row,) = story.rows
    assert row.outputs[0].measures == ()
    assert all(failure.endswith(": missing") for failure in row.outputs[0].failures)
    assert ": missing" in page.html([story])


def test_a_bundle_never_verified_is_refused_with_what_to_type(judged: Bundle) -> None:
    (judged.path / bundles.PARITY).unlink()
    with pytest.raises(ConfigError, match="was never verified") as error:
        report.read(judged.path)
    assert error.value.hint == f"deploy-target verify {judged.path}"


def test_a_verdict_on_other_bytes_is_none(judged: Bundle) -> None:
    bundles.write_report(judged, ParityReport("0" * 64, ()))
    with pytest.raises(ConfigError, match="was never verified"):
        report.read(judged.path)


def test_a_bundle_that_has_changed_is_refused(judged: Bundle) -> None:
    (judged.path / "model.onnx").write_bytes(b"")
    with pytest.raises(BundleCorrupt):
        report.read(judged.path)


def test_a_lane_that_was_not_run_says_why(judged: Bundle) -> None:
    row = Row("cpu", "tensors", Verdict.NOT_RUN, "", "there is <no> such device")
    bundles.write_report(judged, ParityReport(bundles.digest(judged), (row,)))
    story = report.read(judged.path)
    assert story.verdict is Verdict.NOT_RUN
    text = page.html([story])
    assert "there is &lt;no&gt; such device" in text
    assert "Not run is not passed" in text


class Reader(HTMLParser):
    """What a page asks of a browser; complains where tags do not pair."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.asked: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asked += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read_page(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_the_page_needs_nothing_else(judged: Bundle, refused: Path) -> None:
    text = page.html([report.read(refused), report.read(judged.path)])
    seen = read_page(text)
    assert not seen.tags & {"script", "link", "iframe", "object"}
    assert all(asked.startswith(("data:image/png;base64,", "#")) for asked in seen.asked)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "prefers-color-scheme: dark" in text


def test_the_page_says_what_was_found_where_and_why(judged: Bundle) -> None:
    story = report.read(judged.path)
    bound = story.manifest.bounds["fp32"]["tensors"]
    words = " ".join(" ".join(read_page(page.html([story])).words).split())
    for told in (
        story.digest,
        story.manifest.source,
        "ONNX Runtime, in process",
        "onnx, as given",
        "fp32",
        "made-up inputs only",
        "error over noise (octaves)",
        f"bound {next(iter(bound.values())).element:g}",
        "is shown as black and",
        "first classes",
        *(page.SOURCES[source] for source in story.manifest.bounds_from),
    ):
        assert told in words


def test_what_is_not_covered_is_told(judged: Bundle) -> None:
    story = report.read(judged.path)
    gone = dataclasses.replace(story.manifest, uncovered=("B-9: too <large>",))
    assert "B-9: too &lt;large&gt;" in page.html([dataclasses.replace(story, manifest=gone)])


def test_the_images_are_the_inputs(judged: Bundle) -> None:
    story = report.read(judged.path)
    (near, *_), check = story.rows[0].worst, next(bundles.read_golden(judged))
    uris = re.findall(r'data:image/png;base64,([^"]+)', page.html([story]))
    raw = base64.b64decode(uris[0])
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    start = raw.index(b"IDAT") + 4
    length = int.from_bytes(raw[start - 8 : start - 4], "big")
    lines = np.frombuffer(zlib.decompress(raw[start : start + length]), np.uint8).reshape(8, 25)
    check = next(c for c in bundles.read_golden(judged) if c.call.name == near.call)
    asked = check.call.inputs["image"][near.row].transpose(1, 2, 0).reshape(8, 24)
    shown = [row for row, _ in near.inputs[0].images]
    among = check.call.inputs["image"][shown]
    part = (asked - among.min()) / (among.max() - among.min())
    np.testing.assert_allclose(lines[:, 1:], part * 255, atol=0.51)


def test_a_page_is_replaced_only_with_leave_and_by_a_rename(judged: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    story = report.read(judged.path)
    page.write([story], out)
    out.write_text("mine")
    with pytest.raises(ConfigError, match="will not be replaced") as error:
        page.write([story], out)
    assert "--force" in error.value.hint
    assert out.read_text() == "mine"
    page.write([story], out, force=True)
    assert out.read_text().startswith("<!doctype html>")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


@pytest.mark.parametrize(("place", "message"), [("", "is a folder"), ("no/page.html", "no is not")])
def test_a_page_that_cannot_be_written_is_refused(tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        page.write([], tmp_path / place)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.412, "41%"), (12.3, "12 times"), (3e9, "3e+09 times"), (math.inf, "beyond any bound")],
)
def test_shares_are_said_as_one_reads_them(share: float, said: str) -> None:
    assert page.percent(share) == said
