"""What a function does not need to answer a request, taken out of its packages.

In comes a folder of installed packages; it leaves smaller, and imports and answers as before.
To take out more, add a rule: what, and why it is not missed. A test runs a model on what is left,
and another says so when a rule no longer finds anything.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """Glob patterns from the folder's root, and why nobody misses what they find."""

    why: str
    paths: tuple[str, ...]


RULES = (
    Rule("commands and an installer's lock; a function has no shell", ("bin", ".lock")),
    Rule(
        "ONNX Runtime once more, for C programs: the extension module holds all of it",
        ("onnxruntime/capi/libonnxruntime.so*",),
    ),
    Rule(
        "converting, optimizing and quantizing models, which is done before",
        ("onnxruntime/transformers", "onnxruntime/quantization", "onnxruntime/tools"),
    ),
    Rule(
        "example models, and ONNX Runtime dressed as the onnx package's backend",
        ("onnxruntime/datasets", "onnxruntime/backend"),
    ),
    Rule(
        "packages testing themselves, and the compiled parts of those tests",
        (
            "**/tests",
            "numpy/testing",
            "numpy/conftest.py",
            "numpy/ma/testutils.py",
            "numpy/_core/_*_tests.*.so",
            "numpy/_core/_simd.*.so",
        ),
    ),
    Rule(
        "building extension modules against numpy",
        ("numpy/f2py", "numpy/_core/include", "numpy/_core/lib", "numpy/_configtool.py"),
    ),
    Rule("drawing random numbers; a model that does so does it in its graph", ("numpy/random",)),
    Rule("numpy with all of itself imported, which is no longer there", ("numpy/matlib.py",)),
    Rule(
        "type hints for checkers, and sources of compiled parts",
        ("**/*.pyi", "**/py.typed", "**/mypy.py", "**/*.pxd"),
    ),
    Rule(
        "pydantic as it was in version 1; FastAPI asks for it, takes no for an answer, and saves "
        "50 ms of every cold start by it",
        ("pydantic/v1",),
    ),
    Rule(
        "AVIF, fonts, colour profiles and windows: no image is taken that needs one of them",
        (
            "PIL/_avif.*.so",
            "pillow.libs/libavif-*",
            "PIL/_imagingft.*.so",
            "pillow.libs/libfreetype-*",
            "pillow.libs/libharfbuzz-*",
            "pillow.libs/libpng16-*",
            "pillow.libs/libbrotli*",
            "PIL/_imagingcms.*.so",
            "pillow.libs/liblcms2-*",
            "PIL/_imagingtk.*.so",
        ),
    ),
    Rule("compiling bindings for C, which soundfile has done before", ("cffi",)),
    Rule("read by people and their editors", ("fastapi/.agents", "onnxruntime/Privacy.md")),
    # METADATA and entry_points.txt stay: packages look up versions and plug-ins at run time.
    Rule(
        "written by and for installers",
        (
            "*.dist-info/INSTALLER",
            "*.dist-info/RECORD",
            "*.dist-info/REQUESTED",
            "*.dist-info/WHEEL",
            "*.dist-info/top_level.txt",
        ),
    ),
    Rule(
        "gathered in THIRD-PARTY-LICENSES",
        (
            "*.dist-info/licenses",
            "*.dist-info/sboms",
            "onnxruntime/LICENSE",
            "onnxruntime/ThirdPartyNotices.txt",
        ),
    ),
)


def strip(tree: Path) -> None:
    """Takes out of the folder what any rule finds."""
    for rule in RULES:
        for pattern in rule.paths:
            for path in found_by(pattern, tree):
                _remove(path)


def found_by(pattern: str, tree: Path) -> tuple[Path, ...]:
    """What a rule's pattern takes out of this folder, if anything."""
    return tuple(sorted(tree.glob(pattern)))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        # It may lie in a folder that the same pattern has just removed.
        path.unlink(missing_ok=True)
