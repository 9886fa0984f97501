"""Which machine this is: what an engine is bound to, and what a report should say.

Every value is "" where this machine does not say it; nothing here fails.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from typing import NamedTuple

MODEL_FILES = ("/proc/device-tree/model", "/sys/firmware/devicetree/base/model")
RELEASE = "/etc/nv_tegra_release"
SECONDS = 10.0


class Device(NamedTuple):
    """What was found."""

    board: str  # "NVIDIA Jetson Orin Nano Developer Kit"
    processor: str  # "aarch64"
    gpu: str  # "Orin"
    capability: str  # "8.7"
    release: str  # of L4T: "36.4.0"; of another machine its system's
    python: str

    def __str__(self):
        parts = [self.board or platform.node(), self.processor, self.gpu, self.release]
        return ", ".join(part for part in parts if part)


def this():
    """This machine."""
    gpu, capability = _gpu()
    board = next((text for text in map(_text, MODEL_FILES) if text), "")
    release = tegra(_text(RELEASE)) or platform.platform(terse=True)
    return Device(board, platform.machine(), gpu, capability, release, platform.python_version())


def tegra(text):
    """The release that /etc/nv_tegra_release names: "36.4.0"; "" where it names none."""
    found = re.search(r"R(\d+)\s*\(release\),\s*REVISION:\s*([\d.]+)", text)
    return f"{found.group(1)}.{found.group(2)}" if found else ""


def _gpu():
    """Name and compute capability of the first GPU, by CUDA; else by the driver's tools."""
    from . import cudart

    try:
        return cudart.Cuda().device()
    except (OSError, RuntimeError):
        return _by_driver()


def _by_driver():
    asked = ["nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        ran = subprocess.run(
            asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "", ""
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    name, _, capability = lines[0].partition(",") if lines else ("", "", "")
    return name.strip(), capability.strip()


def _text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace").strip("\0\n ")
    except OSError:
        return ""


def temperatures():
    """Zone -> degrees Celsius, of the zones that the kernel has."""
    home, found = "/sys/class/thermal", {}
    for name in sorted(os.listdir(home)) if os.path.isdir(home) else ():
        kind, value = _text(f"{home}/{name}/type"), _text(f"{home}/{name}/temp")
        if name.startswith("thermal_zone") and kind and value.lstrip("-").isdigit():
            found[kind] = int(value) / 1000.0
    return found
