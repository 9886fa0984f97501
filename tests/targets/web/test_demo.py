"""What the demo page of a bundle says; a complaint on its console fails a test."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from deploy_targets.integrations.chromium import Chromium
from deploy_targets.records import Bundle

from .browsing import copied, replaced
from .visiting import photos as photos
from .visiting import visited


def test_tensors_are_edited_asked_and_answered(bundle: Bundle, browser: Chromium) -> None:
    with visited(browser, bundle.path, "/some/where/") as visit:
        visit.press("Zeros")
        visit.press("Ask")
        said = visit.see(".answer")
        assert "logits float32 [1, 5]" in said
        assert "features float32 [1, 8, 8, 8]" in said
        assert "Median" in visit.see("#times .quiet")
        assert 'from "/some/where/model.mjs"' in visit.see("#use code")
        visit.see("#offline", "Works offline")


def test_a_text_that_is_no_number_is_told_beside_its_field_and_not_asked(
    bundle: Bundle,
    browser: Chromium,
) -> None:
    with visited(browser, bundle.path) as visit:
        visit.fill("textarea", "1, two, 3")
        visit.press("Ask")
        assert "3 values, expected 192" in visit.see(".field .problem")
        visit.fill("textarea", "two " * 192)
        visit.press("Ask")
        assert '"two" is no number' in visit.see(".field .problem", "number")
        assert visit.see(".state >> nth=0") == "No question yet."


def test_every_golden_case_is_asked_on_the_spot(bundle: Bundle, browser: Chromium) -> None:
    with visited(browser, bundle.path) as visit:
        visit.press("Verify")
        verdict = visit.see("#verify .verdict")
        rows = visit.do(visit.page.locator("#verify tbody tr").count())
    assert verdict.startswith("Yes: ")
    assert rows >= 2 * 3  # two outputs of at least as many cases as there are batches


def test_a_bound_that_is_not_held_is_said_to_be_broken(
    bundle: Bundle,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    folder = copied(bundle, tmp_path / "site")
    manifest = json.loads((folder / "deploy-target.json").read_text())
    # Nothing is within a relative error below nothing.
    for bounds in manifest["bounds"].values():
        bounds["tensors"]["logits"]["relative_l2"] = -1.0
    (folder / "deploy-target.json").write_text(json.dumps(manifest))
    replaced(folder, "code.*/demo/loading.mjs", "base: HOME,", "base: HOME, check: false,")
    with visited(browser, folder) as visit:
        visit.press("Verify")
        assert visit.see("#verify .verdict").startswith("No: ")
        assert "relative L2" in visit.see("#verify td.fail >> nth=0")


def test_a_bundle_without_golden_cases_says_so(
    bundle: Bundle,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    folder = copied(bundle, tmp_path / "site")
    manifest = json.loads((folder / "deploy-target.json").read_text())
    del manifest["files"]["golden.safetensors"]
    manifest["options"]["golden"] = "none"
    (folder / "deploy-target.json").write_text(json.dumps(manifest))
    with visited(browser, folder) as visit:
        visit.press("Verify")
        assert visit.see("#verify .verdict").startswith("Nothing was verified")
        assert 'golden = "none"' in visit.see("#verify .verdict + .quiet")


def test_a_file_that_is_no_photo_is_refused_in_words_and_the_next_is_answered(
    photos: Path,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    wrong, right = tmp_path / "text.png", tmp_path / "right.png"
    wrong.write_text("no photo")
    Image.new("RGB", (8, 8), "red").save(right)
    with visited(browser, photos) as visit:
        visit.give(wrong, right)
        visit.see(".state >> nth=0", "right.png: ")
        refused = visit.see("#answer .problem")
    assert refused.startswith("text.png: ")
    assert "415" in refused


def test_a_phone_scrolls_in_one_direction_only(
    photos: Path,
    bundle: Bundle,
    browser: Chromium,
) -> None:
    for folder in (photos, bundle.path):
        with visited(browser, folder) as visit:
            visit.do(visit.page.set_viewport_size({"width": 360, "height": 740}))
            for scheme in ("light", "dark"):
                visit.do(visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce"))
                wide = visit.do(visit.page.evaluate("document.documentElement.scrollWidth"))
                assert wide <= 360
