"""An eye, an ear and a scikit-learn pipeline from raw bytes, in AWS's emulator.

The eye is a detector and a segmenter in one. Each passes from tensors and from bytes; each planted
mistake fails from bytes alone and is named.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw

from deploy_targets import api, pipeline
from deploy_targets.explaining.explain import explain
from deploy_targets.integrations.lambda_emulator import Function
from deploy_targets.parity.finding import Stage as Where
from deploy_targets.pipeline import Outcome
from deploy_targets.records import BYTES, TENSORS
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.targets.aws_lambda.runner import started
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .planting import planted

FLAVOR = {"eye": "fastapi", "ear": "lean", "passengers": "lean"}


class Homes:
    """A folder for each project, and what was built of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._built: dict[str, Outcome] = {}

    def project(self, name: str) -> Path:
        return self._root / name

    def built(self, name: str) -> Outcome:
        if name not in self._built:
            home = self.project(name)
            media_zoo.write(home, name)
            options = {"flavor": FLAVOR[name]}
            self._built[name] = api.build(home, target="lambda", options=options, reuse=False)
        return self._built[name]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    return Homes(tmp_path_factory.mktemp("media"))


@pytest.mark.parametrize("name", FLAVOR)
def test_it_passes_from_tensors_and_from_bytes(homes: Homes, name: str) -> None:
    report = homes.built(name).report
    assert {row.golden: row.verdict for row in report.rows} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.PASS,
    }, [row.reason for row in report.rows]
    (row,) = (row for row in report.rows if row.golden == BYTES)
    assert len({parity.call for parity in row.parity}) > 5


MISTAKES = {
    "detections-format-cxcywh": ("eye", "format is 'cxcywh' instead of 'xyxy'"),
    "no-unframe": ("eye", "not brought back to the photo's"),
    "no-resize_mask": ("eye", "the mask is left at the size"),
    "argmax-axis-3": ("eye", "axis is 3 instead of 1"),
    "log_mel-scale-htk": ("ear", "scale is 'htk' instead of 'slaney'"),
    "blank-0": ("ear", "blank is token 0 instead of 5"),
    "columns-age-fare": ("passengers", "columns 'age' and 'fare' are exchanged"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_steps_fails_from_bytes_alone_and_is_named(
    homes: Homes, tmp_path: Path, mistake: str
) -> None:
    name, said = MISTAKES[mistake]
    wrong = planted(homes.project(name), homes.built(name).bundle, mistake, tmp_path / "out")
    judged = pipeline.verify_folder(wrong.path, Workspace())
    assert {row.golden: row.verdict for row in judged.report.rows} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.FAIL,
    }
    found = explain(wrong.path, report=judged.report)
    assert found.stage is Where.STEPS
    assert mistake in found.steps, found.said
    assert said in found.said


class Asked:
    """A started function that is asked as API Gateway asks it."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def whole(self, body: bytes, kind: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        event = calls.event("POST", "/predict", body, {"content-type": kind, **headers})
        return calls.response(self._function.invoke(event, timeout=60))

    def __call__(self, body: bytes, kind: str = "image/*") -> Any:
        status, _, content = self.whole(body, kind)
        assert status == 200, content[:500]
        return json.loads(content)


@pytest.fixture(scope="module")
def ask(homes: Homes) -> Iterator[Asked]:
    """The eye: boxes and a mask of one photo."""
    with started(homes.built("eye").bundle, Workspace()) as function:
        yield Asked(function)


def drawn(size: tuple[int, int], *patches: tuple[str, tuple[int, int, int, int]]) -> Image.Image:
    """A grey photo with patches of a colour at x1, y1, x2, y2 (the last pixel is left out)."""
    image = Image.new("RGB", size, (114, 114, 114))
    for colour, (left, top, right, bottom) in patches:
        ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=colour)
    return image


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


SHAPES = {"landscape": (320, 160), "portrait": (160, 320), "square": (200, 200), "small": (33, 17)}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_marked_object_is_found_where_it_lies_on_the_photo(ask: Asked, shape: str) -> None:
    width, height = SHAPES[shape]
    side = max(width, height)
    object_at = (width * 5 // 8, height // 4, width * 5 // 8 + side // 6, height // 4 + side // 6)
    found = ask(saved(drawn((width, height), ("#ff0000", object_at))))["boxes"]
    best = found[0]
    assert best["label"] == "red"
    left, top, right, bottom = best["box"]
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    # The model sees 64 pixels along the longer side, in cells of 8: so near it can be.
    near = 8 * side / 64
    assert abs((left + right) / 2 - (object_at[0] + object_at[2]) / 2) < near
    assert abs((top + bottom) / 2 - (object_at[1] + object_at[3]) / 2) < near


def test_boxes_and_masks_are_of_the_photo_as_it_is_seen_and_not_as_it_is_stored(ask: Asked) -> None:
    upright = drawn((320, 160), ("#0000ff", (200, 30, 280, 110)))
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = saved(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert ask(stored) == ask(saved(upright))


def test_where_nothing_is_found_the_answer_is_an_empty_list(ask: Asked) -> None:
    assert ask(saved(drawn((90, 60))))["boxes"] == []


def test_a_photo_of_one_pixel_has_boxes_and_a_mask_of_one_pixel(ask: Asked) -> None:
    dot = saved(Image.new("RGB", (1, 1), "#00ff00"))
    said = ask(dot)
    found, mask = said["boxes"], said["mask"]
    assert {one["label"] for one in found} == {"green"}
    assert all(0 <= at <= 1 for one in found for at in one["box"])
    assert (mask["size"], mask["classes"]) == ([1, 1], [{"label": "green", "index": 2, "share": 1}])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mask_lies_on_the_photo_and_comes_as_a_picture(ask: Asked, shape: str) -> None:
    width, height = SHAPES[shape]
    patch = (width // 2, height // 4, width, height * 3 // 4)
    body = saved(drawn((width, height), ("#ff0000", patch)))
    status, headers, content = ask.whole(body, "image/png", accept="image/png")
    assert (status, headers["content-type"]) == (200, "image/png")
    image = Image.open(io.BytesIO(content))
    assert (image.mode, image.size) == ("P", (width, height))
    assert image.getpalette()[:12] == [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
    want = np.zeros((height, width), np.uint8)
    want[patch[1] : patch[3], patch[0] : patch[2]] = 1
    wrong = np.argwhere(np.asarray(image) != want)
    # A pixel of the mask is two of the 64 that the model sees, and it looks one further.
    near = 4 * max(width / 96, height / 64, max(width, height) / 64)
    edges = np.array([patch[1], patch[3], patch[0], patch[2]])
    assert all(np.abs(edges - (y, y, x, x)).min() <= near for y, x in wrong)
    assert ask(body)["mask"]["size"] == [height, width]


def test_a_mask_of_twelve_megapixels_comes_within_what_lambda_carries(ask: Asked) -> None:
    body = saved(drawn((4000, 3000), ("#0000ff", (1000, 500, 3000, 2500))), "JPEG")
    mask = ask(body, "image/jpeg")["mask"]
    assert mask["size"] == [3000, 4000]
    shares = {one["label"]: one["share"] for one in mask["classes"]}
    assert shares["blue"] == pytest.approx(1 / 3, abs=0.02)


def test_speech_is_answered_by_its_kind_and_by_its_letters(homes: Homes) -> None:
    seconds = np.arange(8000) / 8000
    tone = (30000 * np.sin(2 * np.pi * 440 * seconds) * (seconds > 0.3)).astype(np.int16)
    recordings = {}
    for form in ("WAV", "FLAC"):
        file = io.BytesIO()
        soundfile.write(file, tone, 8000, format=form, subtype="PCM_16")
        recordings[form] = file.getvalue()
    with started(homes.built("ear").bundle, Workspace()) as function:
        ask = Asked(function)
        said = ask(recordings["WAV"], "audio/wav")
        assert [set(one) for one in said["kind"]] == [{"label", "index", "score"}] * 2
        letters = said["letters"]
        spelt = "".join("abcd|_"[token] for token in letters["ids"])
        assert letters["text"] == spelt.replace("|", " ").strip()
        assert ask(recordings["FLAC"], "audio/flac") == said
        status, _, refused = ask.whole(saved(drawn((9, 9))), "image/png")
        assert (status, b"takes audio/wav" in refused) == (415, True)
