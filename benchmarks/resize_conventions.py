"""How far resizing is from Pillow and from torch, on the host and in the graph; and what it costs.

    .venv/bin/python benchmarks/resize_conventions.py [--cost]

Differences are in levels of 255, over images that are photo-like, noise, and noise of black and
white alone, at sizes up and down. Cost is for one photo of 12 megapixels to 224 x 224 on one
thread, each in a process of its own; memory is what the step adds to the process at its peak.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

METHODS = ("nearest", "bilinear", "bicubic", "area")
CONVENTIONS = ("pil", "torch", "none")
PAIRS = [  # from, to
    ((480, 640), (224, 224)),
    ((375, 500), (256, 341)),
    ((1200, 1600), (640, 640)),
    ((333, 251), (299, 299)),
    ((120, 120), (224, 224)),
    ((600, 600), (100, 200)),
    ((1, 5000), (224, 224)),
    ((100, 80), (300, 240)),
]
Resized = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Prints the table of differences, or that of costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        show(*cost(*given.one))
    elif given.cost:
        costs()
    else:
        differences()


def differences() -> None:
    """Largest difference and share of levels that differ, host and graph, to the reference."""
    show("| interpolation | antialias | reference | host: largest, share | graph: largest, share |")
    show("|---|---|---|---|---|")
    for method, convention in itertools.product(METHODS, CONVENTIONS):
        reference = "Pillow" if convention == "pil" else "torch"
        sides = [measure(method, convention, make) for make in (on_host, in_graph)]
        cells = " | ".join(f"{worst:.2g}, {share:.2%}" for worst, share in sides)
        show(f"| {method} | {convention} | {reference} | {cells} |")
    show("\n| instead of Pillow's | | largest | mean | share over 1 level |\n|---|---|---|---|---|")
    for method in ("bilinear", "bicubic"):
        for name, make in (
            ("ONNX Resize, antialias = 1", lambda _, to, m=method: by_onnx(to, m)),
            ('antialias = "torch"', lambda old, to, m=method: on_host(options(to, m, "torch"))),
            ('antialias = "none"', lambda old, to, m=method: on_host(options(to, m, "none"))),
            ("Pillow, the other order", lambda old, to, m=method: by_other_pillow(old, to, m)),
        ):
            away = np.concatenate([strayed(make(old, to), old, to, method) for old, to in MISTAKES])
            show(
                f"| {method} | {name} | {away.max():.0f} | {away.mean():.2f} | "
                f"{(away > 1.001).mean():.1%} |"
            )


MISTAKES = [*PAIRS[:6], ((600, 250), (224, 224))]


def measure(
    method: str, convention: str, make: Callable[[dict[str, object]], Resized]
) -> tuple[float, float]:
    """The largest difference to the reference, and how many levels differ by a hundredth."""
    found = []
    for old, to in PAIRS:
        ours = make(options(to, method, convention))
        pil = convention == "pil"
        theirs = by_pillow(to, method) if pil else by_torch(to, method, convention)
        for pixels in images(old):
            away = np.abs(ours(pixels).astype(np.float64) - theirs(pixels).astype(np.float64))
            found.append(away.ravel())
    every = np.concatenate(found)
    return float(every.max()), float((every > 0.01).mean())


def strayed(made: Resized, old: tuple[int, int], to: tuple[int, int], method: str) -> np.ndarray:
    """Levels away from Pillow, on the photo-like image."""
    photo = next(iter(images(old)))
    return np.abs(np.clip(np.rint(made(photo)), 0, 255) - by_pillow(to, method)(photo)).ravel()


def images(size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Something like a photo, noise, and noise of black and white alone."""
    from deploy_targets.stages.awkward_images import _photo

    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    yield np.array(_photo(*size[::-1]))
    yield noise
    yield np.where(noise > 127, np.uint8(255), np.uint8(0))


def options(to: tuple[int, int], method: str, convention: str) -> dict[str, object]:
    """Of the step; Pillow's order is that of the installed one."""
    from deploy_targets.stages.image import Resize

    table = {"to": to, "interpolation": method, "antialias": convention}
    return Resize.model_validate(table).options()


def on_host(given: dict[str, object]) -> Resized:
    """The step in Python."""
    from deploy_targets.stages.host.resize import resize

    return lambda pixels: resize(pixels, {"to_model": [1, 1, 0, 0]}, **given)


def in_graph(given: dict[str, object]) -> Resized:
    """The step as a graph, in one thread of onnxruntime."""
    import onnxruntime

    from deploy_targets.records import Stage, TensorSpec
    from deploy_targets.stages import graphs

    ends = "uint8" if given["antialias"] == "pil" else "float32"
    model = graphs.before(
        [Stage("image", "resize", given)],
        TensorSpec("image", "uint8", ("h", "w", 3)),
        TensorSpec("image", ends, ("new_h", "new_w", 3)),
    )
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings)
    return lambda pixels: session.run(None, {"image.given": pixels})[0]


def by_pillow(to: tuple[int, int], method: str) -> Resized:
    """One plain resize by the installed Pillow."""
    from PIL import Image

    kind = {"nearest": 0, "bilinear": 2, "bicubic": 3, "area": 4}[method]
    return lambda pixels: np.array(Image.fromarray(pixels).resize(to[::-1], kind))


def by_other_pillow(old: tuple[int, int], to: tuple[int, int], method: str) -> Resized:
    """Pillow with its passes in the order that the installed one does not choose here."""
    from deploy_targets.stages.host.resize import height_first
    from deploy_targets.stages.image import installed_passes

    tall = height_first(installed_passes(), old, to)
    between = (old[0], to[1]) if tall else (to[0], old[1])
    return lambda pixels: by_pillow(to, method)(by_pillow(between, method)(pixels))


def by_torch(to: tuple[int, int], method: str, convention: str) -> Resized:
    """torch.nn.functional.interpolate on float32."""
    import torch

    smooth = method in ("bilinear", "bicubic")
    more = {"align_corners": False, "antialias": convention == "torch"} if smooth else {}

    def run(pixels: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
        made = torch.nn.functional.interpolate(given, size=to, mode=method, **more)
        return made[0].numpy().transpose(1, 2, 0)

    return run


def by_onnx(to: tuple[int, int], method: str) -> Resized:
    """The Resize of ONNX, antialiased."""
    import onnxruntime
    from onnx import parser

    mode = {"bilinear": "linear", "bicubic": "cubic"}[method]
    model = parser.parse_model(
        f"""<ir_version: 10, opset_import: ["": 20]>
        own (float[1, 3, h, w] x, int64[4] size) => (float[1, 3, H, W] y) {{
            y = Resize<antialias = 1, mode = "{mode}", cubic_coeff_a = -0.5>(x, , , size) }}"""
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())

    def run(pixels: np.ndarray) -> np.ndarray:
        given = pixels.transpose(2, 0, 1)[None].astype(np.float32)
        made = session.run(None, {"x": given, "size": np.array([1, 3, *to])})[0]
        return made[0].transpose(1, 2, 0)

    return run


def costs() -> None:
    """Each way in a process of its own, since memory is asked of the process."""
    show("| 4000 x 3000 to 224 x 224 | antialias | where | seconds | memory, MiB |")
    show("|---|---|---|---|---|")
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    for method, convention in itertools.product(("bilinear", "bicubic", "area"), CONVENTIONS):
        for where in ("host", "graph"):
            command = [sys.executable, __file__, "--one", method, convention, where]
            run = subprocess.run(command, env=alone, capture_output=True, text=True, check=True)
            show(f"| {method} | {convention} | {where} | {run.stdout.strip()} |")


def cost(method: str, convention: str, where: str) -> tuple[str]:
    """Median seconds of five, and the peak that the first one added."""
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    run = (on_host if where == "host" else in_graph)(options((224, 224), method, convention))
    run(pixels[:50, :50])
    before = peak()
    run(pixels)
    added = peak() - before
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        run(pixels)
        seconds.append(time.perf_counter() - started)
    return (f"{sorted(seconds)[2]:.3f} | {added:.0f}",)


def peak() -> float:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(*words: object) -> None:
    """To stdout, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
