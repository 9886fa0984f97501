"""Which way is taken on a device, by what its TensorRT does; the engines are scripted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.edge.conftest import Part
from tests.edge.scripted import Device


@pytest.fixture
def device(part: Part, bundle: Path, tmp_path: Path) -> Device:
    made = Device(part, tmp_path / "engines")
    made.model = str(bundle / "model.onnx")
    return made


@pytest.fixture
def folder(part: Part, bundle: Path) -> Any:
    return part("folder").Folder(str(bundle))


def taken(part: Part, folder: Any, device: Device, **options: Any) -> tuple[Any, list[str]]:
    said: list[str] = []
    return part("ladder").take(folder, device, tell=said.append, **options), said


def test_the_fastest_that_is_right_is_taken_and_built_once(
    part: Part, folder: Any, device: Device
) -> None:
    first, said = taken(part, folder, device)
    assert first.way == "tensorrt-fp16"
    assert first.proof.passed
    assert "answers as the original does" in said[0]
    second, said = taken(part, folder, device)
    assert (second.way, second.proof, said) == ("tensorrt-fp16", None, [])
    assert device.built == ["fp16"]
    assert len(device.loaded) == 2


def test_a_precision_that_answers_wrongly_falls_back_with_a_message(
    part: Part, folder: Any, device: Device
) -> None:
    device.wrong["fp16"] = 1.5
    found, said = taken(part, folder, device)
    assert found.way == "tensorrt-fp32"
    assert [step.way for step in found.steps] == ["tensorrt-fp16", "tensorrt-fp32"]
    assert "comparisons failed" in said[0]
    assert "tensorrt-fp16" in said[0]


def test_the_bounds_are_those_of_the_precision(part: Part, folder: Any, device: Device) -> None:
    # Right for float16, and far from right for float32.
    device.wrong = {"fp16": 1.0005, "fp32": 1.0005}
    found, _ = taken(part, folder, device)
    assert found.way == "tensorrt-fp16"
    found, said = taken(part, folder, device, ways=["tensorrt-fp32", "cpu"])
    assert found.way == "cpu"
    assert "failed" in said[0]


def test_the_order_is_tensorrt_then_its_providers_then_the_cpu(
    part: Part, folder: Any, device: Device
) -> None:
    device.has_tensorrt = False
    found, said = taken(part, folder, device)
    assert found.way == "cpu"
    assert [step.way for step in found.steps] == [
        "tensorrt-fp16",
        "tensorrt-fp32",
        "ort-tensorrt",
        "ort-cuda",
        "cpu",
    ]
    assert any("compiled without CUDAExecutionProvider" in sentence for sentence in said)


def test_a_first_run_that_fails_is_passed_over(part: Part, folder: Any, device: Device) -> None:
    build = device.build

    def broken(*given: Any) -> bytes:
        body = build(*given)
        device.load = failing if device.built[-1] == "fp16" else load  # type: ignore[method-assign]
        return body

    load = device.load

    def failing(plan: str, where: str) -> Any:
        made = load(plan, where)

        def run(inputs: Any) -> Any:
            raise RuntimeError("CUDA: an illegal memory access was encountered")

        made.run = run  # type: ignore[method-assign]
        return made

    device.build = broken  # type: ignore[method-assign]
    found, said = taken(part, folder, device)
    assert found.way == "tensorrt-fp32"
    assert "illegal memory access" in said[0]


def test_a_build_that_fails_falls_back(part: Part, folder: Any, device: Device) -> None:
    error = part("errors").EdgeError("TensorRT 10.3.0 does not take the model: Foo (node foo)", "")
    device.fails["fp16"] = error
    found, said = taken(part, folder, device)
    assert found.way == "tensorrt-fp32"
    assert "node foo" in said[0]


def test_nothing_is_taken_where_all_are_wrong(part: Part, folder: Any, device: Device) -> None:
    device.wrong = {"fp16": 2.0, "fp32": 2.0}
    with pytest.raises(part("errors").NotProven, match="nothing runs the model") as caught:
        taken(part, folder, device, ways=["tensorrt-fp16", "tensorrt-fp32"])
    assert "do not serve it" in caught.value.hint
    # A verdict that was bad is asked for again, never believed to be good.
    with pytest.raises(part("errors").NotProven):
        taken(part, folder, device, ways=["tensorrt-fp16"])


def test_an_engine_that_was_built_anew_is_proven_anew(
    part: Part, folder: Any, device: Device
) -> None:
    first, _ = taken(part, folder, device)
    key = part("ladder").key_of(folder, device, "fp16", device.version)
    plan, _ = device.engines.find(key)
    Path(plan).write_bytes(b"engine fp16 truncat")
    second, said = taken(part, folder, device)
    assert first.proof.passed
    assert second.proof.passed
    assert device.built == ["fp16", "fp16"]
    assert device.loaded == [b"engine fp16 1", b"engine fp16 2"], "the damaged one was loaded"
    assert said


def test_an_engine_of_another_tensorrt_is_not_used(
    part: Part, folder: Any, device: Device, tmp_path: Path
) -> None:
    taken(part, folder, device)
    newer = Device(part, tmp_path / "engines", version="10.7.0")
    taken(part, folder, newer)
    assert newer.built == ["fp16"]


def test_sizes_are_planned_for_by_the_signatures_axes(part: Part, folder: Any) -> None:
    assert part("ladder").profiles_of(folder) == {
        "image": ((1, 3, 8, 8), (1, 3, 8, 8), (4, 3, 8, 8))
    }


def test_a_precision_without_bounds_is_refused(part: Part, folder: Any, device: Device) -> None:
    with pytest.raises(part("errors").NotProven, match="no bounds for int8"):
        taken(part, folder, device, ways=["tensorrt-int8"])
