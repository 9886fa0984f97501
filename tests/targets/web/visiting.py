"""A visitor of the demo page: what they do, and what they see.

Test files import the fixtures that they name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy_targets.integrations import static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.records import Bundle
from deploy_targets.workspace import digest_of_file

from .browsing import copied

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
FROM_THE_TOP = """() => {
  const title = document.querySelector("h1");
  title.tabIndex = -1;
  title.focus();
}"""
CARD = 'document.activeElement.closest(".card")?.classList.item(1)'


@pytest.fixture(scope="session")
def photos(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, taking photos: its model.json says so, and the page believes that."""
    folder = copied(bundle, tmp_path_factory.mktemp("photos") / "site")
    described, worker = folder / "model.json", folder / "sw.js"
    about, before = json.loads(described.read_text()), digest_of_file(described)
    about["steps"] = STEPS
    described.write_text(json.dumps(about))
    # The service worker keeps only what has its hash.
    kept = worker.read_text()
    assert before in kept
    worker.write_text(kept.replace(before, digest_of_file(described)))
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
        try:
            self.do(place.wait_for(timeout=SECONDS * 900))
        except PageFailed as error:
            seen = self.do(self.page.locator("main").inner_text())
            raise AssertionError(f"{where} never said {text!r}; the page says: {seen}") from error
        return str(self.do(place.inner_text()))

    def fill(self, where: str, text: str) -> None:
        self.do(self.page.locator(where).fill(text))

    def resize(self, rows: int) -> None:
        self.fill("input[type=number]", str(rows))
        self.do(self.page.locator("input[type=number]").press("Enter"))

    def walked(self) -> list[str]:
        """The cards, in the order in which the tabulator comes to them."""
        self.do(self.page.evaluate(FROM_THE_TOP))
        return list(dict.fromkeys(name for _ in range(30) if (name := self._next_card())))

    def _next_card(self) -> str | None:
        self.do(self.page.keyboard.press("Tab"))
        found = self.do(self.page.evaluate(CARD))
        return None if found is None else str(found)

    def give(self, *files: Path) -> None:
        chooser = self.page.locator("input[type=file]")
        self.do(chooser.set_input_files([str(file) for file in files]))
