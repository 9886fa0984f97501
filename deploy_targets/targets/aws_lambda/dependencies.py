"""The packages of a function: resolved for Lambda, stripped, compiled, zipped; once for all models.

In come a flavor, a processor, a Python and the media that are decoded; out comes a folder that only
waits for a model and its app, and the same as a zip to start from. A flavor is a pair of files in
templates/lambda/locks/, a medium is one in locks/media/.

Sources do not ship. Byte code beside its source makes the zip of the fastapi flavor 1.9 MB (6 %)
larger than byte code alone, and is read just as fast. What is lost is the text of a line in a
traceback; its file, number and function are there. The app's own sources do ship.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from deploy_targets.errors import ConfigError
from deploy_targets.integrations import bytecode, wheels
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.resources import resource
from deploy_targets.targets.aws_lambda import archive, licences, native, strip
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

TASK_ROOT = "/var/task"
"""Where Lambda unpacks a function."""
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}

# A change in how a tree is made makes another tree.
_MAKERS = (archive, bytecode, licences, strip, wheels)


@dataclass(frozen=True)
class Tree:
    """Packages ready to lie in /var/task. Read, never written: other bundles use it too."""

    folder: Path
    archive: Path
    """The same as a zip; `archive.write_zip(..., onto=tree.archive)` adds a model to it."""

    @property
    def packages(self) -> Mapping[str, str]:
        """Name -> version of what is in it."""
        found = distributions(path=[str(self.folder)])
        return dict(sorted((package.name, package.version) for package in found))


def tree(
    flavor: str,
    arch: str,
    interpreter: Interpreter,
    workspace: Workspace,
    media: Sequence[str] = (),
) -> Tree:
    """The packages of a flavor and of media, from the cache where they were made before.

    `arch` is "x86_64" or "arm64"; the interpreter is of a Python that Lambda has, and compiles for
    both. `media` are "image" and "audio", where such raw inputs are decoded.
    Raises ConfigError, ToolMissing, UnsupportedModel.
    """
    locks = (lock_of(flavor), *(_locks() / "media" / f"{medium}.txt" for medium in sorted(media)))
    native.system_of(interpreter.minor)
    key = digest_of(*map(digest_of_file, locks), arch, interpreter.version, *_how())
    home = workspace.cached(
        "lambda-packages", key, lambda made: _make(made, locks, arch, interpreter)
    )
    return Tree(home / "tree", home / "tree.zip")


def lock_of(flavor: str) -> Path:
    """The file that names a flavor's packages by their hashes. Raises ConfigError."""
    flavors = sorted(lock.stem for lock in _locks().glob("*.txt"))
    if flavor not in flavors:
        raise ConfigError(f"flavor = {flavor!r} is not known", hint=f"one of: {', '.join(flavors)}")
    return _locks() / f"{flavor}.txt"


def _locks() -> Path:
    return resource("templates", "lambda", "locks")


def _make(home: Path, locks: Sequence[Path], arch: str, interpreter: Interpreter) -> None:
    folder = home / "tree"
    for lock in locks:
        wheels.install(lock, folder, platform=PLATFORMS[arch], python=interpreter.minor)
    terms = licences.collect(folder)
    strip.strip(folder)
    native.check_loadable(folder, arch, interpreter.minor)
    bytecode.byte_compile(interpreter, folder, seen_as=TASK_ROOT, keep_sources=False)
    (folder / licences.FILE_NAME).write_text(terms, encoding="utf-8", newline="\n")
    archive.write_zip(archive.contents_of(folder), home / "tree.zip")


def _how() -> tuple[str, ...]:
    files = (__file__, *(maker.__file__ for maker in _MAKERS))
    return (zlib.ZLIB_RUNTIME_VERSION, *(digest_of_file(Path(str(file))) for file in files))
