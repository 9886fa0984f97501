"""The package of a bundle, in a Python as old as JetPack 4's, with what that has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy_targets.edge import package
from deploy_targets.integrations import interpreters, toolchain
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.pipeline import Outcome
from deploy_targets.resources import resource
from deploy_targets.stages import host
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace
from tests.edge.conftest import NAME

MINORS = ("3.6", "3.7", "3.8", "3.9")
"""Those that have the ONNX Runtime of JetPack 4."""
PLAIN = ("compare", "judge", "engines", "folder", "judging", "ladder", "proof", "service", "trt")
STEPS = ("audio", "boxes", "image", "masks", "resize", "scores", "table", "text", "words")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with all steps that there are."""
    folder = tmp_path_factory.mktemp("whole")
    package.write(folder, None)
    stages = folder / NAME / "stages"
    stages.mkdir()
    for source in Path(str(host.__file__)).parent.glob("*.py"):
        package._put(source, stages / source.name)
    return folder


def python(minors: tuple[str, ...], exact: bool) -> Path:
    """An interpreter with JetPack 4's packages."""
    own = [minor for minor in minors if interpreters.find(minor)]
    if not own:
        why = "of Python 3.6" if exact else f"of Python {', '.join(minors)}"
        pytest.skip(f"no interpreter {why} is on this machine, so the package is not run in one")
    locks = resource("templates", "edge", "requirements")
    return toolchain.python("jetpack4", Workspace(), minors=own[:1], locks=locks)


def ran(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_the_package_compiles_in_the_oldest_python_at_hand(whole: Path) -> None:
    at_hand = (interpreters.find(f"3.{minor}") for minor in range(6, 14))
    oldest = next(found for found in at_hand if found)
    assert isinstance(oldest, Interpreter)
    folder = whole.with_name("compiled")
    shutil.copytree(whole, folder)
    done = ran([str(oldest.executable), "-I", "-m", "compileall", "-q", str(folder)])
    assert done.returncode == 0, f"Python {oldest.version}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("minors", [("3.6",), MINORS], ids=["3.6", "oldest"])
def test_every_module_is_imported_with_jetpack_4s_packages(
    whole: Path, minors: tuple[str, ...]
) -> None:
    names = [f"{NAME}.{name}" for name in PLAIN] + [f"{NAME}.stages.{name}" for name in STEPS]
    code = f"import sys; sys.path.insert(0, {str(whole)!r})\n" + "\n".join(
        f"import {name}" for name in names
    )
    done = ran([str(python(minors, len(minors) == 1)), "-I", "-c", code])
    assert done.returncode == 0, done.stderr


def verify(bundle: Path, interpreter: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEPLOY_TARGET_ENGINES": str(home)}
    done = ran(
        [str(interpreter), "-m", NAME, "verify", "--way", "cpu"], cwd=bundle, env=environment
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("minors", [("3.6",), MINORS], ids=["3.6", "oldest"])
def test_a_bundle_for_jetpack_4_is_proven_with_what_that_has(
    built_4: Outcome, tmp_path: Path, minors: tuple[str, ...]
) -> None:
    assert built_4.verdict is Verdict.PASS
    assert "restated: opset 13" in " ".join(built_4.bundle.manifest.notes)
    done = verify(built_4.bundle.path, python(minors, len(minors) == 1), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ONNX Runtime 1.10.0, CPU: answers as the original does" in done.stdout


def test_a_bundle_for_a_newer_jetpack_is_refused_on_an_older_one(
    bundle: Path, tmp_path: Path
) -> None:
    done = verify(bundle, python(MINORS, False), tmp_path)
    assert done.returncode == 5
    assert "cannot load the model" in done.stderr
    assert "till opset 15" in done.stderr


def test_an_old_python_is_told_that_it_cannot_serve(built_4: Outcome, tmp_path: Path) -> None:
    command = [str(python(MINORS, False)), "-m", NAME, "serve"]
    done = ran(command, cwd=built_4.bundle.path)
    assert done.returncode == 3
    assert "too old to serve" in done.stderr


def test_a_photo_is_decoded_by_an_old_pillow_as_by_a_new_one(whole: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 4), np.uint8)
    photo = tmp_path / "photo.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(photo, exif=exif)
    code = f"""
import sys
sys.path.insert(0, {str(whole)!r})
import numpy as np
from {NAME}.stages import image, resize
frame = {{}}
found = image.decode_image(open({str(photo)!r}, "rb").read(), frame, mode="rgb",
    orientation="exif", alpha="white", max_pixels=10000, max_ratio=None)
found = resize.resize(found, frame, to=[16, 12], shorter=None, longer=None,
    interpolation="bilinear", antialias="pil")
np.save({str(tmp_path / "old.npy")!r}, found)
"""
    done = ran([str(python(MINORS, False)), "-I", "-c", code])
    assert done.returncode == 0, done.stderr
    frame: dict[str, object] = {}
    from deploy_targets.stages.host import image, resize

    want = image.decode_image(
        photo.read_bytes(),
        frame,
        mode="rgb",
        orientation="exif",
        alpha="white",
        max_pixels=10000,
        max_ratio=None,
    )
    want = resize.resize(
        want,
        frame,
        to=[16, 12],
        shorter=None,
        longer=None,
        interpolation="bilinear",
        antialias="pil",
    )
    np.testing.assert_array_equal(np.load(tmp_path / "old.npy"), want)
