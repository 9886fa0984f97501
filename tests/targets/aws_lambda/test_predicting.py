"""Golden calls from raw bytes as HTTP, and answers in words as tensors."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from deploy_targets.records import Signature, Stage, Staging, TensorSpec
from deploy_targets.targets.aws_lambda import around, asking, contract, predicting


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
