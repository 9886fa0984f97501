"""The demo page of a bundle, as a visitor uses it; a complaint on its console fails a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy_targets.integrations import static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.records import Bundle

from .browsing import copied, replaced

SECONDS = 60
STEPS: dict[str, Any] = {
    "inputs": {
        "image": {
            "graph": None,
            "media": ["image/jpeg", "image/*"],
            "suffixes": [".jpg", ".png"],
            "host": [
                {
                    "op": "decode_image",
                    "options": {
                        "alpha": "drop",
                        "max_pixels": 100_000,
                        "max_ratio": None,
                        "mode": "rgb",
                        "orientation": "exif",
                    },
                },
                {
                    "op": "scale",
                    "options": {
                        "by": 1 / 255,
                        "dtype": "float32",
                        "mean": [0.0, 0.0, 0.0],
                        "std": [1.0, 1.0, 1.0],
                    },
                },
                {"op": "layout", "options": {"order": "nchw"}},
            ],
        }
    },
    "graph": None,
    "host": [
        {"of": "logits", "op": "softmax", "options": {"axis": -1}},
        {
            "of": "logits",
            "op": "label",
            "options": {
                "says": "classes",
                "zeros": True,
                "labels": ["ant", "bee", "cat", "dog", "elk"],
            },
        },
    ],
    "gives": [{"name": "logits", "dtype": "float32", "shape": ["B", 5]}],
    "single": True,
}
"""Photos of 8 by 8 pixels in, five named classes out."""


@pytest.fixture(scope="session")
def photos(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, taking photos: its model.json says so, and the page believes that."""
    folder = copied(bundle, tmp_path_factory.mktemp("photos") / "site")
    about = json.loads((folder / "model.json").read_text())
    about["steps"] = STEPS
    (folder / "model.json").write_text(json.dumps(about))
    return folder


@contextmanager
def visited(browser: Chromium, folder: Path, prefix: str = "/") -> Iterator[Visit]:
    with (
        static_site.serving(folder, prefix=prefix) as site,
        browser.page(f"{site.url}index.html") as tab,
    ):
        visit = Visit(tab)
        visit.see("#loading dd >> nth=0", "wasm")
        yield visit
        tab.check("being visited")


class Visit:
    """What a visitor does, and sees."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.page = tab, tab.page

    def do(self, work: Any) -> Any:
        return self.tab.run(work, doing="being visited", seconds=SECONDS)

    def press(self, name: str) -> None:
        self.do(self.page.get_by_role("button", name=name, exact=True).click())

    def see(self, where: str, text: str = "") -> str:
        """Waits until it says so; what it says."""
        place = self.page.locator(where).filter(has_text=text)
        self.do(place.wait_for(timeout=SECONDS * 1000))
        return str(self.do(place.inner_text()))

    def fill(self, where: str, text: str) -> None:
        self.do(self.page.locator(where).fill(text))

    def give(self, *files: Path) -> None:
        chooser = self.page.locator("input[type=file]")
        self.do(chooser.set_input_files([str(file) for file in files]))


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


def test_several_photos_are_answered_one_after_another_and_one_of_them_twice(
    photos: Path,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    files = [tmp_path / f"{shade}.png" for shade in ("red", "green", "blue")]
    for file in files:
        Image.new("RGB", (8, 8), file.stem).save(file)
    with visited(browser, photos) as visit:
        visit.give(*files)
        visit.see(".state >> nth=0", "3 answers. blue.png: ")
        assert visit.do(visit.page.locator(".ranking li").count()) == 5
        assert visit.do(visit.page.locator("canvas.photo").count()) == 1
        visit.give(files[2])
        visit.see(".earlier li:nth-child(4)")


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_in_one_direction_only(
    photos: Path,
    bundle: Bundle,
    browser: Chromium,
    scheme: Any,
) -> None:
    for folder in (photos, bundle.path):
        with visited(browser, folder) as visit:
            visit.do(visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce"))
            visit.do(visit.page.set_viewport_size({"width": 360, "height": 740}))
            wide = visit.do(visit.page.evaluate("document.documentElement.scrollWidth"))
            assert wide <= 360
