"""The host tools of the tflite target, for `doctor`."""

from __future__ import annotations

import shutil

from deploy_targets.converters import tflite_from_onnx
from deploy_targets.integrations import interpreters
from deploy_targets.needs import Need, package
from deploy_targets.phones.needs import apt, emulator
from deploy_targets.targets.tflite.places import OLD_PYTHONS


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        package("uv", "fetches LiteRT and the converters", "tflite"),
        package("flatbuffers", "writes what the file says of itself", "tflite"),
        package("torch", "converts PyTorch models", "torch"),
        _tensorflow(),
        _python(tflite_from_onnx.PYTHONS, "converts models that exist as ONNX alone (onnx2tf)"),
        _python(OLD_PYTHONS, "asks the file in the last tflite-runtime, as old devices do"),
        _java(),
        emulator(),
        apt(),
    )


def _tensorflow() -> Need:
    purpose = "converts SavedModels and Keras models"
    cpu = package("tensorflow-cpu", purpose, "tensorflow")
    return cpu if cpu.found else package("tensorflow", purpose, "tensorflow")


def _python(minors: tuple[str, ...], purpose: str) -> Need:
    found = interpreters.newest(minors)
    return Need(
        tool=f"Python {' or '.join(minors)}",
        found=f"{found.version} ({found.executable})" if found else None,
        purpose=purpose,
        hint=f"uv python install {minors[-1]}",
    )


def _java() -> Need:
    return Need(
        tool="java",
        found=shutil.which("java"),
        purpose="runs the app's Kotlin around the file, for declared steps",
        hint="install a JDK (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)",
    )
