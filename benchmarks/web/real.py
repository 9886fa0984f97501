"""Three trained models and inputs as they meet them. In: a name. Out: settings for a build.

models/NAME.toml describes each. Their packages lie in a folder of their own in the cache, pinned by
the hashes in requirements.txt; they are the ones from which parity/real loads the same networks. To
add one: a description, a line in `SAMPLES`, its package in requirements.in.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from deploy_targets import config
from deploy_targets.config import Settings
from deploy_targets.records import Tensors
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

HERE = Path(__file__).parent
LOCK = HERE / "requirements.txt"
DESCRIBED = HERE / "models"
LICENCES = {"crepe-tiny": "MIT", "onet": "MIT", "attacut": "MIT"}
"""Of the packages that hold code and weights."""


def settings(name: str, samples: Path, workspace: Workspace) -> Settings:
    """The description of a model, with its samples written into a folder below `samples`."""
    folder = packages(workspace)
    for path in (HERE.parent, folder):
        # Last: what the project has itself must not be shadowed.
        if str(path) not in sys.path:
            sys.path.append(str(path))
    place = samples / name
    place.mkdir(parents=True)
    for case, tensors in _samples(name, folder).items():
        np.savez(place / f"{case}.npz", **{key: np.asarray(one) for key, one in tensors.items()})
    told = config.read(DESCRIBED / f"{name}.toml")
    return told.model_copy(update={"samples": str(place.resolve())})


def packages(workspace: Workspace) -> Path:
    """A folder for sys.path, filled once; it needs the network then."""
    key = digest_of(digest_of_file(LOCK), list(sys.version_info[:2]))
    return workspace.cached("web-models", key, _install)


def _install(home: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    only = ["--no-compile", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    # stdout belongs to the table.
    subprocess.run(
        [*pip, *only, "--target", str(home), "-r", str(LOCK)], check=True, stdout=sys.stderr
    )


def _samples(name: str, folder: Path) -> Mapping[str, Tensors]:
    from parity.real import data

    make: dict[str, Callable[[], Mapping[str, Tensors]]] = {
        "crepe-tiny": data.frames,
        "onet": lambda: data.photos(folder, 48, 4),
        "attacut": lambda: data.text(folder),
    }
    return make[name]()
