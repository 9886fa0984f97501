"""Run in an environment of its own: decodes every file of a folder into another, as PPM.

    python packaged.py opencv|ffmpeg|fast_dct|plain_chroma FROM TO

What it cannot read it leaves out, and says so on stderr.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np


def opencv(file: Path) -> np.ndarray | None:
    """OpenCV as most programs call it, but not turned by EXIF."""
    import cv2

    found = cv2.imread(str(file), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if found is None else found[..., ::-1]


def ffmpeg(file: Path) -> np.ndarray | None:
    """ffmpeg's own decoder, and swscale from YUV to RGB as it is by default."""
    import imageio_ffmpeg

    out = ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-noautorotate", "-i", str(file)]
    run = subprocess.run([*command, *out], capture_output=True)
    if run.returncode:
        return None
    _, sides, _, samples = run.stdout.split(b"\n", 3)
    width, height = map(int, sides.split())
    return np.frombuffer(samples, np.uint8).reshape(height, width, 3)


def fast_dct(file: Path) -> np.ndarray | None:
    """libjpeg-turbo with its faster, less exact cosine transform."""
    return _turbo(file, fastdct=True)


def plain_chroma(file: Path) -> np.ndarray | None:
    """libjpeg-turbo with chroma repeated instead of interpolated."""
    return _turbo(file, fastupsample=True)


def _turbo(file: Path, **options: bool) -> np.ndarray | None:
    import simplejpeg

    data = file.read_bytes()
    return simplejpeg.decode_jpeg(data, **options) if simplejpeg.is_jpeg(data) else None


WAYS: dict[str, Callable[[Path], np.ndarray | None]] = {
    "opencv": opencv,
    "ffmpeg": ffmpeg,
    "fast_dct": fast_dct,
    "plain_chroma": plain_chroma,
}


def main(way: str, old: Path, new: Path) -> None:
    """Writes <name>.ppm for each file that can be read."""
    for file in sorted(old.iterdir()):
        pixels = WAYS[way](file)
        if pixels is None:
            sys.stderr.write(f"{way} cannot read {file.name}\n")
            continue
        height, width, _ = pixels.shape
        with (new / f"{file.name}.ppm").open("wb") as out:
            out.write(f"P6\n{width} {height}\n255\n".encode() + pixels.tobytes())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
