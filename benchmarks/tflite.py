"""What a .tflite costs and how fast it is: ours, plain litert-torch, plain onnx2tf, TensorFlow's.

    .venv/bin/python benchmarks/tflite.py
    .venv/bin/python benchmarks/tflite.py --page docs/performance.md

EfficientNet-Lite0 (what examples/efficientnet-lite0/README.md sets up), CREPE, O-Net, attacut and a
small CNN of Keras. Each conversion is a process of its own, with its seconds and its peak memory;
all files of one model then answer the same question in one process, taking turns, on one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import section
from mobile.proofs import SIZES

from deploy_targets import api, config
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.workspace import Workspace
from mobile import race, rivals
from web import real

EXAMPLE = Path(__file__).parents[1] / "examples" / "efficientnet-lite0" / "deploy.toml"
KERAS = "keras-cnn"
MODELS = {
    "efficientnet-lite0": "EfficientNet-Lite0, one picture of 224 x 224",
    "crepe-tiny": "CREPE (tiny), one frame of 1024 samples",
    "onet": "O-Net, one picture of 48 x 48",
    "attacut": "attacut, one sentence of 36 characters",
    KERAS: "A CNN of Keras, one picture of 96 x 96",
}
HEADING = "TensorFlow Lite"


def main() -> int:
    """Prints a table for each model, and writes them into a page where one is named."""
    given = arguments()
    workspace = Workspace()
    said = [opening(given)]
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        for name in given.model:
            sys.stderr.write(f"{name}\n")
            spec = specified(name, home / "sources", workspace)
            entered = rivals.entered(spec, SIZES.get(name, {}), home / name, workspace)
            results = race.raced(entered, given.conversions, given.rounds, workspace)
            said.append(f"{MODELS[name]}:\n\n{race.table(results)}".rstrip())
            sys.stderr.write(f"{said[-1]}\n")
    sys.stdout.write("\n\n".join(said) + "\n")
    if given.page:
        page = section.replaced(given.page.read_text(encoding="utf-8"), HEADING, "\n\n".join(said))
        given.page.write_text(page, encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--conversions", type=int, default=3, help="rounds of conversions")
    parser.add_argument("--rounds", type=int, default=200, help="rounds of answers")
    parser.add_argument("--model", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--page", type=Path, help="writes the section of that page")
    return parser.parse_args()


def opening(given: argparse.Namespace) -> str:
    """What was done, and how to do it again."""
    asked = f"--conversions {given.conversions} --rounds {given.rounds}"
    return f"""LiteRT on one thread of {os.cpu_count()} cores, with XNNPACK. Of {given.conversions}
conversions the one with the median time, each in a process of its own; memory is the largest of
that process and of those that it started, not their sum. Answers: medians of {given.rounds}, the
files taking turns in one process; the last column is the median of the ratios within each round.
The question is drawn at random; errors are against the original. `deploy-target` is the conversion
alone, with reading the file back: no capture, no verdict. The others get what it got, captured.

    .venv/bin/python benchmarks/tflite.py {asked}"""


def specified(name: str, home: Path, workspace: Workspace) -> SourceSpec:
    """The model of that name; a folder for what has to be written first."""
    if name == KERAS:
        return _keras(home / name)
    if name in real.LICENCES:
        return api.spec_of(real.settings(name, home / "samples", workspace))
    return api.spec_of(config.read(EXAMPLE))


def _keras(home: Path) -> SourceSpec:
    """Three convolutions, saved as Keras saves."""
    from deploy_targets.frontends.tensorflow_quiet import keras

    home.mkdir(parents=True)
    keras().utils.set_random_seed(0)
    layers = keras().layers
    blocks = [
        layers.Conv2D(channels, 3, 2, padding="same", activation="relu")
        for channels in (16, 32, 64)
    ]
    model = keras().Sequential(
        [
            keras().Input((96, 96, 3), name="image"),
            *blocks,
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, name="logits"),
        ]
    )
    model.save(home / "cnn.keras")
    return SourceSpec("cnn.keras", home, name=KERAS)


if __name__ == "__main__":
    sys.exit(main())
