"""Golden calls from raw bytes as HTTP, and answers in words as tensors."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deploy_targets.records import Signature, Stage, Staging, TensorSpec
from deploy_targets.stages import said
from deploy_targets.stages.base import After
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.text import TextAfter
from deploy_targets.targets.aws_lambda import around, asking, contract, predicting
from deploy_targets.targets.aws_lambda.calls import Refused


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x10\x00\x00\x00WEBP", "image/webp"),
        (b"RIFF\n\n\n\nWAVE", "audio/wav"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"MM\x00*", "image/tiff"),
        (b"fLaC", "audio/flac"),
        (b"OggS", "audio/ogg"),
        (b' [{"a": 1}]', "application/json"),
        (b"a,b\n1,2\n", "text/csv"),
    ],
)
def test_a_file_says_itself_what_it_is(data: bytes, kind: str) -> None:
    assert predicting.content_type(data) == kind


def test_one_file_goes_as_it_is_and_several_inputs_by_name() -> None:
    photo = np.frombuffer(b"\xff\xd8\xff\xe0photo", np.uint8)
    alone = predicting.event({"image": photo}, {"image"}, "a")
    assert base64.b64decode(alone["body"]) == photo.tobytes()
    assert (alone["rawPath"], alone["headers"]["content-type"]) == ("/predict", "image/jpeg")
    gain = np.array([[0.5]], np.float32)
    both = predicting.event({"image": photo, "gain": gain}, {"image"}, "b")
    parts = json.loads(base64.b64decode(both["body"]))["inputs"]
    assert base64.b64decode(parts["image"]["base64"]) == photo.tobytes()
    assert np.load(io.BytesIO(base64.b64decode(parts["gain"]["base64"]))) == gain


SAID = Stage("y", "label", {"says": "classes", "labels": ["cat", "dog"]}, "after")
PHOTO = Stage("image", "decode_image", {}, "before")


def staging(*stages: Stage, inputs: tuple[str, ...] = ("image",)) -> Staging:
    raw = TensorSpec("image", "uint8", ("image_bytes",))
    rest = [TensorSpec(name, "float32", (1, 1)) for name in inputs if name != "image"]
    gives = (TensorSpec("y", "float32", (1, 2)), TensorSpec("z", "float32", (1, 2)))
    signature = Signature((raw, *rest), gives)
    media = {"image": ("image/jpeg", "image/*")}
    return Staging(tuple(stages), signature, {"image": (raw,)}, media, {"image": (".jpg",)}, True)


def test_the_readme_shows_a_command_and_the_answer() -> None:
    asked = asking.asked(staging(PHOTO, SAID))
    (command,) = asked.curl
    assert "-H 'Content-Type: image/jpeg' --data-binary @photo.jpg URL/predict" in command
    answer = json.loads(asked.answer)
    assert answer["y"][0] == {"label": "cat", "index": 0, "score": 0.9}
    assert list(answer) == ["y", "z"]
    body, _ = asking.asked(staging(PHOTO, SAID, inputs=("image", "gain"))).curl
    assert json.loads(body.partition("  #")[0])["inputs"].keys() == {"image", "gain"}


def test_an_entry_from_bytes_leaves_room_for_words() -> None:
    entry = contract.raw_entry(staging(PHOTO, SAID).signature)
    tensors = contract.entry(Signature((), ()))
    assert (entry.name, entry.golden) == ("predict", "bytes")
    assert entry.max_output_bytes is not None
    assert tensors.max_output_bytes is not None
    assert entry.max_output_bytes * 10 < tensors.max_output_bytes


def test_pixels_are_moved_on_the_host_where_boxes_come_back_to_the_photo() -> None:
    steps = (
        PHOTO,
        Stage("image", "resize", {"antialias": "torch"}, "before"),
        Stage("image", "pad", {}, "before"),
        Stage("image", "scale", {}, "before"),
    )
    ports = tuple(TensorSpec(f"p{i}", "float32", (1,)) for i in range(4))
    back = Stage("y", "unframe", {"input": "image"}, "after")

    def on_host(*more: Stage) -> list[str]:
        made = replace(staging(*steps, *more), ports={"image": ports})
        return [stage.op for stage in around.planned(made).before["image"].host]

    assert on_host() == ["decode_image"]
    assert on_host(back) == ["decode_image", "resize", "pad"]


LABELS = ("ant", "bee", "cat")
SCORES = TensorSpec("y", "float32", ("batch", 3))
KINDS: dict[str, tuple[After, TensorSpec]] = {
    "all": (ClassesAfter(activation="none", labels=LABELS), SCORES),
    "best": (ClassesAfter(activation="none", top_k=2), SCORES),
    "above": (ClassesAfter(activation="sigmoid", threshold=0.25, labels=LABELS), SCORES),
    "boxes": (
        BoxesAfter(format="xyxy", layout="rows", labels=LABELS),
        TensorSpec("y", "float32", (1, "n", 7)),
    ),
    "mask": (MaskAfter(labels=LABELS), TensorSpec("y", "float32", (1, 3, 2, 2))),
    "text": (TextAfter(alphabet="_ab"), TensorSpec("y", "float32", (1, "t", 3))),
    "ids": (TextAfter(), TensorSpec("y", "float32", (1, "t", 3))),
}


def entry(index: Any, score: Any, key: str = "index") -> dict[str, Any]:
    return {"label": LABELS[int(index)], key: index, "score": score}


def box(kind: Any, score: Any, *corners: Any) -> dict[str, Any]:
    return {**entry(kind, score, "class"), "box": list(corners or (0.5, 1, 2, "Infinity"))}


def painted(*pixels: int) -> dict[str, Any]:
    image, file = Image.fromarray(np.array(pixels, np.uint8).reshape(2, 2)), io.BytesIO()
    stages = MaskAfter(labels=LABELS).stages("y", [KINDS["mask"][1]], Path())
    (colours,) = (stage.options["colours"] for stage in stages if stage.op == "palette")
    image.putpalette([level for colour in colours for level in colour])
    image.save(file, "PNG")
    kinds = sorted(set(pixels), key=lambda kind: (-pixels.count(kind), kind))
    return {
        "size": [2, 2],
        "png": base64.b64encode(file.getvalue()).decode(),
        "classes": [
            {"label": LABELS[kind], "index": kind, "share": pixels.count(kind) / 4}
            for kind in kinds
        ],
    }


def read(kind: str, answer: Any) -> dict[str, np.ndarray]:
    """What is read of an answer that is right, or the Refused of one that is not."""
    table, spec = KINDS[kind]
    stages, gives = table.stages("y", [spec], Path()), table.gives("y", [spec])
    tensors = said.tensors_of({"y": answer}, gives, stages)
    return dict(tensors)


ALL = [entry(0, 0.1), entry(1, "NaN"), entry(2, 1)]
BEST = [{"index": 2, "score": 0.5}, {"index": 0, "score": 0.25}]
ABOVE = [entry(1, 0.75), entry(0, 0.5), entry(2, 0.5)]
BOXES = [box(2, 0.9), box(0, 0.5), box(1, 0.5)]
TEXT = {"text": "ab", "ids": [1, 2]}
WRONG: dict[str, tuple[str, Any, str]] = {
    "all, one twice": ("all", [*ALL[:2], entry(1, 0.5)], "twice"),
    "all, in another order": ("all", ALL[::-1], "not in their order"),
    "all, one missing": ("all", ALL[:2], "missing"),
    "all, index -1 with its label": (
        "all",
        [*ALL[:2], {"label": "cat", "index": -1, "score": 1}],
        "no class -1",
    ),
    "all, index 2.0": ("all", [*ALL[:2], entry(2.0, 1)], "whole number"),
    "all, index true": ("all", [ALL[0], entry(True, 1), ALL[2]], "whole number"),
    "all, a score is null": ("all", [*ALL[:2], entry(2, None)], "expected a number"),
    "all, a score is true": ("all", [*ALL[:2], entry(2, True)], "expected a number"),
    "all, a score is a bare NaN": ("all", [*ALL[:2], entry(2, float("nan"))], "expected a number"),
    "all, a score is text": ("all", [*ALL[:2], entry(2, "1")], "expected a number"),
    "all, a score too large": ("all", [*ALL[:2], entry(2, 1e39)], "too large"),
    "all, a key too many": ("all", [*ALL[:2], {**ALL[2], "rank": 1}], "expected an object"),
    "all, no label": ("all", [*ALL[:2], {"index": 2, "score": 1}], "expected an object"),
    "all, no list": ("all", ALL[0], "expected a list"),
    "best, worst first": ("best", BEST[::-1], "best first"),
    "best, one twice": ("best", [BEST[0], BEST[0]], "twice"),
    "best, one missing": ("best", BEST[:1], "the best 2"),
    "best, NaN before a number": ("best", [{**BEST[0], "score": "NaN"}, BEST[1]], "best first"),
    "best, labels where there are none": ("best", [entry(2, 0.5), entry(0, 0.25)], "an object"),
    "best, below 0": ("best", [BEST[0], {"index": -1, "score": 0.25}], "no class -1"),
    "above, worst first": ("above", ABOVE[::-1], "best first"),
    "above, equal ones turned": ("above", [ABOVE[0], ABOVE[2], ABOVE[1]], "best first"),
    "above, one twice": ("above", [ABOVE[0], ABOVE[0]], "twice"),
    "above, one at the threshold": ("above", [*ABOVE, entry(2, 0.25)][::3], "not above"),
    "above, one is NaN": ("above", [*ABOVE[:2], entry(2, "NaN")], "not above"),
    "boxes, worst first": ("boxes", BOXES[::-1], "best first"),
    "boxes, equal ones turned": ("boxes", [BOXES[2], BOXES[1]], "best first"),
    "boxes, class 1.0": ("boxes", [box(1.0, 0.5)], "whole number"),
    "boxes, class -1": ("boxes", [{**box(2, 0.5), "class": -1}], "no class -1"),
    "boxes, three corners": ("boxes", [box(1, 0.5, 1, 2, 3)], "x1, y1, x2, y2"),
    "boxes, a corner is null": ("boxes", [box(1, 0.5, 1, 2, 3, None)], "expected a number"),
    "mask, the smallest first": (
        "mask",
        {**painted(0, 0, 0, 2), "classes": painted(0, 0, 0, 2)["classes"][::-1]},
        "largest first",
    ),
    "mask, a class twice": (
        "mask",
        {**painted(1, 1, 1, 1), "classes": painted(1, 1, 1, 1)["classes"] * 2},
        "largest first",
    ),
    "mask, another share": (
        "mask",
        {**painted(1, 1, 1, 1), "classes": [{"label": "bee", "index": 1, "share": 0.5}]},
        "a share of",
    ),
    "mask, a share is true": (
        "mask",
        {**painted(1, 1, 1, 1), "classes": [{"label": "bee", "index": 1, "share": True}]},
        "expected a number",
    ),
    "mask, a size in floats": ("mask", {**painted(0, 0, 0, 0), "size": [2.0, 2]}, "whole number"),
    "mask, base64 with more in it": (
        "mask",
        {**painted(0, 0, 0, 0), "png": "!" + painted(0, 0, 0, 0)["png"]},
        "not as described",
    ),
    "text, ids that are no whole numbers": ("text", {**TEXT, "ids": [1.7, 2]}, "whole number"),
    "text, an id below 0": ("text", {"text": "bb", "ids": [-1, 2]}, "no class -1"),
    "text, an id too large": ("text", {"text": "ab", "ids": [1, 3]}, "no class 3"),
    "ids, a text without labels": ("ids", {**TEXT, "text": "anything"}, "expected an object"),
    "ids, no whole numbers": ("ids", {"ids": [1.7, 2]}, "whole number"),
    "ids, below 0": ("ids", {"ids": [-1]}, "no class -1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_words_that_are_not_as_the_page_describes_them_are_refused(wrong: str) -> None:
    kind, answer, why = WRONG[wrong]
    with pytest.raises(said.Unreadable, match=why):
        read(kind, answer)


def test_words_as_the_page_describes_them_are_read() -> None:
    assert read("all", ALL)["y"].tolist()[0][::2] == [np.float32(0.1), 1]
    assert read("best", BEST)["y.indices"].tolist() == [[2, 0]]
    assert read("best", [{"index": 1, "score": "-Infinity"}, {"index": 2, "score": "NaN"}])
    assert read("above", ABOVE)["y"].tolist() == [[0.5, 0.75, 0.5]]
    assert read("above", [])["y"].tolist() == [[0, 0, 0]]
    assert read("boxes", BOXES)["y"][:, 5].tolist() == [2, 0, 1]
    assert read("boxes", [])["y"].shape == (0, 6)
    assert read("mask", painted(2, 0, 1, 2))["y"].tolist() == [[[2, 0], [1, 2]]]
    assert read("text", TEXT)["y"].tolist() == read("ids", {"ids": [1, 2]})["y"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("dtype", "value", "why"),
    [
        ("int64", [1.9, 2.2], "whole number"),
        ("int64", [1, True], "whole number"),
        ("int64", [1, 2**63], "does not fit int64"),
        ("uint8", [1, 300], "does not fit uint8"),
        ("uint8", [1, -1], "does not fit uint8"),
        ("bool", [0, 1], "true or false"),
        ("float32", [1, None], "expected a number"),
        ("float32", [1, True], "expected a number"),
        ("float16", [1, 70000], "too large for float16"),
        ("bfloat16", [1, 1e39], "too large for bfloat16"),
        ("float64", [1, 10**400], "not as described"),
        ("float32", [[1], [1, 2]], "not as described"),
    ],
)
def test_a_number_that_its_dtype_cannot_hold_is_refused(dtype: str, value: Any, why: str) -> None:
    with pytest.raises(said.Unreadable, match=why):
        said.tensors_of({"z": value}, [TensorSpec("z", dtype, (1, 2))], [])


@pytest.mark.parametrize(
    ("text", "why"),
    [(b'{"y": [1], "y": [2]}', "twice"), (b'{"y": [NaN]}', "NaN is no JSON"), (b"[1]", "object")],
)
def test_an_answer_in_loose_json_is_refused(text: bytes, why: str) -> None:
    returned = json.dumps({"statusCode": 200, "headers": {}, "body": text.decode()}).encode()
    with pytest.raises(Refused, match=why):
        # It is refused before the manifest is asked what it should have been.
        predicting.answer(returned, None)  # type: ignore[arg-type]


PEAK = """
import re, sys
from pathlib import Path
from deploy_targets.stages.host import image
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
data, before, keys = Path(sys.argv[1]).read_bytes(), peak(), {"mode": "rgb", "max_ratio": None}
image.decode_image(data, {}, orientation="exif", alpha="white", max_pixels=10**7, **keys)
print((peak() - before) / 9e6)
"""


def test_a_pixel_takes_fewer_bytes_of_memory_than_the_note_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGBA", (3000, 3000), (9, 9, 9, 99)).save(tmp_path / "x", "WEBP", exif=exif)
    command = [sys.executable, "-c", PEAK, str(tmp_path / "x")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert around.PHOTO_BYTES / 2 < float(ran.stdout) < around.PHOTO_BYTES


def test_a_photo_larger_than_the_memory_is_a_note_with_what_to_set() -> None:
    photo = replace(PHOTO, options={"max_pixels": 50_000_000})

    def noted(size: int, memory: int) -> tuple[str, ...]:
        return around.memory_notes((photo, SAID), size, memory)

    assert noted(100 * 2**20, 1769) == ()
    (note,) = noted(100 * 2**20, 1024)
    assert "50,000,000 pixels" in note
    assert "memory_mb is 1,024: set memory_mb = 1545, or max_pixels = 27200000 for image" in note
    assert noted(100 * 2**20, 1545) == ()
    smaller = replace(PHOTO, options={"max_pixels": 27_200_000})
    assert around.memory_notes((smaller,), 100 * 2**20, 1024) == ()
    (note,) = noted(0, 128)
    assert note.endswith("set memory_mb = 1345"), "no photo at all fits"
