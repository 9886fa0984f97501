"""Forms of preprocessing for photos, and the table that each becomes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deploy_targets.recognising import Found, recognise

from . import standins as s

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def found(*steps: Any) -> Found:
    one = recognise(s.Compose(list(steps)))
    assert one is not None
    return one


def test_the_usual_compose_becomes_resize_crop_scale_mean_and_std() -> None:
    one = found(s.Resize(256), s.CenterCrop(224), s.ToTensor(), s.Normalize(MEAN, STD))
    assert one.what == "a torchvision Compose"
    assert one.left_out == ()
    assert one.size == (224, 224)
    assert one.table == {
        "type": "image",
        "orientation": "ignore",
        "resize": {"shorter": 256, "interpolation": "bilinear", "antialias": "pil"},
        "crop": [224, 224],
        "scale": 1 / 255,
        "mean": MEAN,
        "std": STD,
    }


def test_a_preset_of_weights_is_the_same_in_one() -> None:
    one = recognise(s.ImageClassification(crop_size=300, resize_size=320))
    assert one is not None
    assert one.table["resize"] == {
        "shorter": 320,
        "interpolation": "bicubic",
        "antialias": "pil",
    }
    assert (one.table["crop"], one.table["mean"]) == ([300, 300], MEAN)


@pytest.mark.parametrize(
    ("before", "antialias"),
    [
        ([], "pil"),
        ([s.ToTensor()], "torch"),
        ([s.ToImage()], "pil"),
        ([s.ToImage(), s.ToDtype("torch.float32", scale=True)], "torch"),
    ],
)
def test_what_a_resize_acts_on_says_whose_arithmetic_it_is(
    before: list[Any], antialias: str
) -> None:
    one = found(*before, s.Resize((20, 30), 3))
    assert one.table["resize"] == {
        "to": [20, 30],
        "interpolation": "bicubic",
        "antialias": antialias,
    }
    assert bool(one.left_out) == (len(before) == 1 and isinstance(before[0], s.ToImage))


def test_levels_that_are_not_scaled_have_no_scale() -> None:
    one = found(s.ToImage(), s.ToDtype("torch.float32", scale=False))
    assert "scale" not in one.table


def test_a_tensors_float32_are_as_short_as_they_were_written() -> None:
    one = found(s.ToTensor(), s.Normalize(np.float32(MEAN), np.float32(STD)))
    assert (one.table["mean"], one.table["std"]) == (MEAN, STD)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (s.RandomHorizontalFlip(0.5), "RandomHorizontalFlip: for training, not for inference"),
        (s.Resize(8, s.InterpolationMode.LANCZOS), 'interpolation "lanczos" cannot be said'),
        (s.Grayscale(3), "Grayscale: grey in 3 channels cannot be said"),
        (s.Pad(4), "Pad: borders of [4, 4, 4, 4] cannot be said"),
        (SimpleNamespace(), "SimpleNamespace: a step that is not known here"),
    ],
)
def test_what_cannot_be_said_is_left_out_by_name(step: Any, said: str) -> None:
    (left_out,) = found(step, s.ToTensor()).left_out
    assert said in left_out


def test_steps_in_another_order_are_not_put_in_order_silently() -> None:
    one = found(s.CenterCrop(224), s.Resize((100, 100)), s.ToTensor())
    assert one.left_out == ("Resize: resize after crop cannot be said",)
    assert "resize" not in one.table


def test_a_border_around_a_known_size_is_a_pad() -> None:
    one = found(s.Resize((60, 50)), s.Pad((0, 0, 4, 4), fill=114), s.ToTensor())
    assert one.table["pad"] == {"to": [64, 54], "value": 114.0, "at": "corner"}


def test_timms_own_steps_say_what_they_do_otherwise() -> None:
    keep = s.ResizeKeepRatio((224, 224), 1.0, s.InterpolationMode.BICUBIC)
    one = found(keep, s.CenterCropOrPad((224, 224), [124, 116, 104]), s.MaybeToTensor())
    assert one.table["resize"]["longer"] == 224
    assert [said.partition(":")[0] for said in one.left_out] == [
        "ResizeKeepRatio",
        "CenterCropOrPad",
    ]
    grey = found(keep, s.CenterCropOrPad((224, 224), [128] * 3), s.MaybeToTensor())
    assert grey.table["pad"] == {"to": [224, 224], "value": 128.0, "at": "centre"}


@pytest.mark.parametrize(
    ("mode", "resize", "left_out"),
    [
        ("center", {"shorter": 331}, 0),
        ("squash", {"to": [331, 331]}, 0),
        ("border", {"longer": 331}, 1),
    ],
)
def test_timms_data_config_is_resized_by_its_crop_pct(
    mode: str, resize: dict[str, Any], left_out: int
) -> None:
    config = {"input_size": (3, 300, 300), "interpolation": "bicubic", "mean": MEAN, "std": STD}
    one = recognise({**config, "crop_pct": 0.904, "crop_mode": mode})
    assert one is not None
    assert one.table["resize"] == {**resize, "interpolation": "bicubic", "antialias": "pil"}
    assert one.table["crop"] == [300, 300]
    assert len(one.left_out) == left_out


CLIP = {
    "do_resize": True,
    "size": {"shortest_edge": 224},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": MEAN,
    "image_std": STD,
}


def test_the_settings_of_an_image_processor_are_read() -> None:
    """As preprocessor_config.json of CLIP has them, written by transformers 5.23.0."""
    one = recognise(CLIP)
    assert one is not None
    assert one.table["resize"] == {
        "shorter": 224,
        "interpolation": "bicubic",
        "antialias": "pil",
    }
    assert one.table["crop"] == [224, 224]
    assert (one.table["scale"], one.table["mean"]) == (1 / 255, MEAN)
    assert [said.partition(":")[0] for said in one.left_out] == ["do_center_crop"]


class TorchvisionBackend:
    __module__ = "transformers.image_processing_backends"

    def to_dict(self) -> dict[str, Any]:
        return {**CLIP, "do_center_crop": False}

    def __call__(self, *, images: Any, return_tensors: str) -> dict[str, Any]:
        return {"pixel_values": np.asarray(images)[None]}


def test_an_image_processor_is_asked_for_its_pixel_values() -> None:
    """Named and built as the processors of transformers 5.23.0, which resize tensors."""
    one = recognise(TorchvisionBackend())
    assert one is not None
    assert one.call is not None
    assert one.call([[1, 2]]).shape == (1, 1, 2)
    assert not one.direct
    assert [said.partition(":")[0] for said in one.left_out] == ["do_resize"]


def test_convnext_crops_what_is_small_and_squeezes_what_is_large() -> None:
    for side, resize in ((224, {"shorter": 256}), (384, {"to": [384, 384]})):
        one = recognise(
            {**CLIP, "do_center_crop": False, "crop_pct": 0.875, "size": {"shortest_edge": side}}
        )
        assert one is not None
        assert one.table["resize"].items() >= resize.items()
        assert ("crop" in one.table) == (side == 224)


def test_what_is_no_transform_is_not_recognised() -> None:
    for thing in (s.Compose([]), {"mean": 1}, object(), "text", lambda image: image):
        assert recognise(thing) is None
