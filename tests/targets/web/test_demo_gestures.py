"""What a visitor can do on the demo page: choose, drop, paste, cancel, tabulate, go offline.

A complaint on its console fails a test.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from deploy_targets.integrations import chromium, static_site
from deploy_targets.integrations.chromium import Chromium
from deploy_targets.records import Bundle

from .browsing import copied
from .visiting import SECONDS, Visit, visited
from .visiting import photos as photos


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


def test_photos_are_dropped_and_pasted(
    photos: Path,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    file = tmp_path / "dropped.png"
    Image.new("RGB", (8, 8), "red").save(file)
    with visited(browser, photos) as visit:
        visit.do(dropped(visit, ".zone", file))
        visit.see(".state >> nth=0", "dropped.png: ")
        # What misses the zone does not replace the page.
        visit.do(dropped(visit, "h1", file))
        visit.do(visit.page.evaluate(PASTE))
        visit.see(".state >> nth=0", "pasted.png: ")
        assert visit.do(visit.page.locator(".earlier li").count()) == 2


async def dropped(visit: Visit, where: str, file: Path) -> None:
    """A file of the visitor's machine, dragged there and let go."""
    session = await visit.page.context.new_cdp_session(visit.page)
    box = await visit.page.locator(where).bounding_box()
    assert box is not None
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


PASTE = """async () => {
  const canvas = new OffscreenCanvas(8, 8);
  canvas.getContext("2d").fillRect(0, 0, 4, 4);
  const clipboardData = new DataTransfer();
  const blob = await canvas.convertToBlob();
  clipboardData.items.add(new File([blob], "pasted.png", { type: "image/png" }));
  const about = { clipboardData, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new ClipboardEvent("paste", about));
}"""


def test_a_golden_case_and_a_npy_file_fill_the_fields_and_the_sizes(
    bundle: Bundle,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    right, wrong = tmp_path / "right.npy", tmp_path / "wrong.npy"
    np.save(right, np.zeros((3, 3, 8, 8), np.float32))
    np.save(wrong, np.zeros((3, 3, 8, 8), np.int64))
    with visited(browser, bundle.path) as visit:
        visit.press("Take a golden case")
        visit.see(".before-fields select", "B-1/0")
        visit.give(right)
        visit.see(".field legend", "float32 [3, 3, 8, 8]")
        assert visit.do(visit.page.locator("input[type=number]").input_value()) == "3"
        visit.press("Ask")
        assert "logits float32 [3, 5]" in visit.see(".answer")
        visit.give(wrong)
        assert "the file is int64, expected float32" in visit.see(".field .problem")


def test_what_is_asked_is_cancelled_and_the_next_question_answered(
    bundle: Bundle,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    folder = copied(bundle, tmp_path / "site")
    about = json.loads((folder / "model.json").read_text())
    # Far more rows at once than it was built for: a question that lasts.
    about["axes"]["B"][1] = 20_000
    (folder / "model.json").write_text(json.dumps(about))
    with visited(browser, folder) as visit:
        visit.resize(20_000)
        for _ in range(4):
            visit.press("Ask")
        visit.press("Cancel")
        visit.see(".state >> nth=0", "Cancelled.")
        visit.resize(1)
        visit.press("Ask")
        assert "logits float32 [1, 5]" in visit.see(".answer")


def test_the_keyboard_goes_through_the_cards_as_a_phone_shows_them(
    bundle: Bundle,
    browser: Chromium,
) -> None:
    with visited(browser, bundle.path) as visit:
        visit.press("Zeros")
        visit.press("Ask")
        visit.see(".answer")
        visit.press("Verify")
        visit.see("#verify .verdict")
        assert visit.walked() == ["ask", "times-of", "use", "said-of", "verify"]
        visit.do(visit.page.set_viewport_size({"width": 360, "height": 740}))
        assert visit.walked() == ["ask", "said-of", "times-of", "verify", "use"]


def test_a_page_without_a_network_answers_after_a_reload(
    photos: Path,
    browser: Chromium,
    tmp_path: Path,
) -> None:
    file = tmp_path / "red.png"
    Image.new("RGB", (8, 8), "red").save(file)
    with visited(browser, photos) as visit:
        visit.see("#offline", "Works offline")
        visit.do(visit.page.context.set_offline(True))
        visit.tab.loop.run(visit.page.reload(), SECONDS)
        visit.tab.loop.run(visit.page.locator("#loading dd").first.wait_for(), SECONDS)
        # The network's own complaints: what is asked of it first cannot be had.
        others = [one for one in visit.tab.complaints if not is_of_the_network(one)]
        visit.tab.complaints.clear()
        assert others == []
        visit.give(file)
        visit.see(".state >> nth=0", "red.png: ")


def is_of_the_network(complaint: str) -> bool:
    return "could not be fetched" in complaint or "Failed to load resource" in complaint


def test_a_host_without_https_has_an_answer_as_well(bundle: Bundle) -> None:
    with (
        chromium.started("--host-resolver-rules=MAP demo.test 127.0.0.1") as browser,
        static_site.serving(bundle.path) as site,
    ):
        port = site.url.rstrip("/").rpartition(":")[2]
        tab = browser.loop.run(browser._tab())
        tab.loop.run(tab.page.goto(f"http://demo.test:{port}/index.html"), SECONDS)
        tab.loop.run(tab.page.locator("#loading dd").first.wait_for(), SECONDS)
        # The browser itself says that it wants https for threads; there is nothing else to hear.
        others = [one for one in tab.complaints if "Cross-Origin-Opener-Policy" not in one]
        tab.complaints.clear()
        assert others == []
        visit = Visit(tab)
        assert visit.do(tab.page.evaluate("isSecureContext")) is False
        visit.press("Ask")
        assert "logits float32 [1, 5]" in visit.see(".answer")
        tab.close()
