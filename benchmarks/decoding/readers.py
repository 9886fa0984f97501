"""The decoders. Each takes files by name and gives pixels by name; the base is Pillow's.

To add one, add it to READERS. One whose program is missing raises `NotRun` with the reason.
"""

from __future__ import annotations

import functools
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from . import chromium

HERE = Path(__file__).parent
Found = dict[str, np.ndarray]
"""uint8[height, width, 3] by file name; what a decoder cannot read is absent."""
Reader = Callable[[dict[str, bytes]], Found]


class NotRun(Exception):
    """A decoder is not on this machine, or could not be started; says why."""


def pillow(files: dict[str, bytes]) -> Found:
    """The base: as the reference decodes, alpha dropped."""
    return {name: _rgb(io.BytesIO(data)) for name, data in files.items()}


def _rgb(file: io.BytesIO | Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image.convert("RGB"))


def _in_chromium(way: str, files: dict[str, bytes]) -> Found:
    if not chromium.program():
        raise NotRun("there is no chromium or google-chrome on the path")
    try:
        found, failed = chromium.decode(way, files)
    except TimeoutError as error:
        raise NotRun(str(error)) from None
    if not found:
        raise NotRun(next(iter(failed.values()), "Chromium gave nothing back"))
    return found


def _in_java(way: str, files: dict[str, bytes]) -> Found:
    java = shutil.which("java")
    if not java:
        raise NotRun("there is no java on the path")
    headless = "-Djava.awt.headless=true"
    return _by_folder([java, headless, str(HERE / "ImageIo.java"), way], files)


def _in_package(way: str, files: dict[str, bytes]) -> Found:
    return _by_folder([str(_environment()), str(HERE / "packaged.py"), way], files)


def _by_folder(command: list[str], files: dict[str, bytes]) -> Found:
    """Files go through one folder to the program, and come back through another as PPM."""
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old"), Path(folder, "new")
        old.mkdir()
        new.mkdir()
        for name, data in files.items():
            (old / name).write_bytes(data)
        _run([*command, str(old), str(new)])
        return {file.stem: _rgb(file) for file in sorted(new.iterdir())}


@functools.cache
def _environment() -> Path:
    """Python with requirements.txt, made once and kept beside deploy-target's own cache."""
    from deploy_targets.workspace import default_home

    pins = HERE / "requirements.txt"
    folder = default_home() / "decoders"
    python, kept = folder / "bin" / "python", folder / pins.name
    if not kept.is_file() or kept.read_bytes() != pins.read_bytes():
        _run([sys.executable, "-m", "uv", "venv", "--clear", "-p", sys.executable, str(folder)])
        _run([sys.executable, "-m", "uv", "pip", "install", "-p", str(python), "-r", str(pins)])
        shutil.copyfile(pins, kept)
    return python


def versions() -> list[str]:
    """Of the programs that the machine has and the packages that are pinned."""
    programs = [program for program in (chromium.program(), shutil.which("java")) if program]
    asked = [[program, "--version"] for program in programs]
    told = [subprocess.run(one, capture_output=True, text=True).stdout for one in asked]
    pins = (HERE / "requirements.txt").read_text(encoding="utf-8").split()
    return [*(one.partition("\n")[0].strip() for one in told), *pins]


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1:]
        raise NotRun(f"{Path(command[0]).name} ended with {run.returncode}: {' '.join(last)}")


READERS: dict[str, Reader] = {
    "OpenCV": functools.partial(_in_package, "opencv"),
    "Java, ImageIO, raster": functools.partial(_in_java, "raster"),
    "Java, ImageIO, getRGB": functools.partial(_in_java, "colours"),
    "Chromium, img, CPU canvas": functools.partial(_in_chromium, "image-cpu"),
    "Chromium, img, GPU canvas": functools.partial(_in_chromium, "image-gpu"),
    "Chromium, createImageBitmap, CPU canvas": functools.partial(_in_chromium, "bitmap-cpu"),
    "Chromium, createImageBitmap, GPU canvas": functools.partial(_in_chromium, "bitmap-gpu"),
    "Chromium, createImageBitmap, WebGL": functools.partial(_in_chromium, "bitmap-webgl"),
    "libjpeg-turbo, fast DCT": functools.partial(_in_package, "fast_dct"),
    "libjpeg-turbo, chroma repeated": functools.partial(_in_package, "plain_chroma"),
    "ffmpeg": functools.partial(_in_package, "ffmpeg"),
}
