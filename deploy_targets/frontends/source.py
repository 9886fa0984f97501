"""What the user points at: "file.py:callable", "package.module:callable", "x.pt2", "x.onnx",
"x.pt", "x.joblib", "x.keras", "x.h5", or the folder of a SavedModel.

In: a source as written, and the folder that it is relative to. Out: its kind and its place, or an
error that says what was found instead. Nothing is imported and nothing is run here. To add a kind
of file: a `Kind`, its suffix in `KINDS`, and what its first bytes look like in `refuse_contents`.
"""

from __future__ import annotations

import ast
import enum
import re
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.errors import ConfigError, ConversionFailed, UnsupportedModel
from deploy_targets.frontends import torch_files
from deploy_targets.records import DynamicAxis, TensorSpec


@dataclass(frozen=True)
class SourceSpec:
    """A model as declared: where it is, and what its file or callable does not tell by itself."""

    source: str
    base: Path = field(default_factory=Path)
    """The folder that relative paths start from."""
    name: str | None = None
    inputs: tuple[TensorSpec, ...] = ()
    """May be empty for .pt2 and .onnx, which say it themselves."""
    axes: tuple[DynamicAxis, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    """Name and kind of each output, in the model's order."""
    batch: str | None = None
    depends: tuple[str, ...] = ()
    """Files and globs, relative to `base`, that the model depends on beyond what is seen."""


class Kind(enum.StrEnum):
    """The sources that can be loaded."""

    CALLABLE = "callable"
    EXPORTED = "exported"
    ONNX = "onnx"
    PICKLED = "pickled"
    KERAS = "keras"
    SAVED_MODEL = "saved model"
    TORCHSCRIPT = "torchscript"


PICKLES = (".joblib", ".pkl", ".pickle")
"""Of scikit-learn estimators. Loading one runs the code in it."""
HDF5 = (".h5", ".hdf5")
KINDS = {
    ".pt2": Kind.EXPORTED,
    ".onnx": Kind.ONNX,
    ".keras": Kind.KERAS,
    **dict.fromkeys(PICKLES, Kind.PICKLED),
    **dict.fromkeys(HDF5, Kind.KERAS),
}
SAVED_MODEL = "saved_model.pb"
"""The file that makes a folder a SavedModel."""
SCRIPTED = frozenset({".pt", ".pth", ".torchscript", ".ts", ".ptl"})
"""Under these TorchScript is found, and much else: what is in the file decides."""
CHECKPOINTS = frozenset({".pth", ".pt", ".ptl", ".torchscript", ".ckpt", ".bin", ".safetensors"})
OF_TENSORFLOW = {
    ".pb": (
        "is a frozen graph of TensorFlow 1, or no model at all",
        "make an .onnx of it (python -m tf2onnx.convert --graphdef x.pb --inputs x:0 --outputs "
        "y:0 --output model.onnx) and give that; a SavedModel is given as its folder",
    ),
    ".tflite": (
        "is a converted model, whose weights may be rounded already",
        "give what it was made from: the folder of a SavedModel, x.keras, x.h5, x.onnx or "
        "file.py:function",
    ),
}
"""Suffix -> what such a file is, and what to give instead."""


def kind_of(spec: SourceSpec) -> Kind:
    """The kind of the source. Raises ConfigError or UnsupportedModel where it has none."""
    path = spec.base / spec.source
    if _saved_model(spec) is not None:
        return Kind.SAVED_MODEL
    if path.suffix in KINDS and not path.is_dir():
        return KINDS[path.suffix]
    if path.suffix in SCRIPTED and path.is_file() and torch_files.is_torchscript(path):
        return Kind.TORCHSCRIPT
    if _is_callable(spec.source):
        return Kind.CALLABLE
    raise _no_source(spec.source, path)


def file_of(spec: SourceSpec) -> Path | None:
    """The file of the source, in a SavedModel its graph; None for "package.module:callable"."""
    if (folder := _saved_model(spec)) is not None:
        return folder / SAVED_MODEL
    if kind_of(spec) is not Kind.CALLABLE:
        return _present(spec.base / spec.source)
    place, _ = split(spec)
    return _present(spec.base / place) if place.endswith(".py") else None


def files_of(spec: SourceSpec) -> dict[str, Path]:
    """All files of a source that is its files, by their names inside of it."""
    file = file_of(spec)
    if file is None or _saved_model(spec) is None:
        return {"": file} if file else {}
    parts = ("variables", "assets")
    inside = sorted(path for part in parts for path in (file.parent / part).rglob("*"))
    found = [file, *(path for path in inside if path.is_file())]
    return {path.relative_to(file.parent).as_posix(): path for path in found}


def signature_of(spec: SourceSpec) -> str:
    """The signature of a SavedModel that the source names after a colon; "" where it names none."""
    folder = _saved_model(spec)
    named = folder is not None and not (spec.base / spec.source).is_dir()
    return spec.source.rpartition(":")[2] if named else ""


def _saved_model(spec: SourceSpec) -> Path | None:
    """The folder, if the source is one, with or without the name of a signature."""
    for place in dict.fromkeys((spec.source, spec.source.rpartition(":")[0])):
        if place and (spec.base / place / SAVED_MODEL).is_file():
            return spec.base / place
    return None


def split(spec: SourceSpec) -> tuple[str, str]:
    """The file or module, and the callable in it."""
    place, _, name = spec.source.rpartition(":")
    return place, name


def name_of(spec: SourceSpec) -> str:
    """The declared name, else the file's stem or the folder's name, else the callable's name."""
    file, folder = file_of(spec), _saved_model(spec)
    own = folder.absolute().name if folder else file.stem if file else split(spec)[1]
    plain = spec.name or own
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._") or "model"


def depended_on(spec: SourceSpec) -> list[Path]:
    """The files that `depends` names now. Raises ConfigError where an entry matches none."""
    found: set[Path] = set()
    for pattern in spec.depends:
        if not pattern or Path(pattern).is_absolute():
            raise ConfigError(
                f"depends: {pattern!r} is not relative to {spec.base}",
                hint="write a path or a glob below the folder of deploy.toml",
            )
        matches = {path for path in spec.base.glob(pattern) if path.is_file()}
        if not matches:
            raise ConfigError(
                f"depends: {pattern!r} matches no file in {spec.base}",
                hint="correct it, or drop it from depends; globs such as weights/*.pt are taken",
            )
        found |= matches
    return sorted(found)


def changed(path: Path) -> ConversionFailed:
    """The error for a file that is no longer what was loaded: nothing of it may be kept."""
    return ConversionFailed(f"{path} changed while it was being built", hint="build it again")


def refuse_contents(path: Path, kind: Kind) -> None:
    """Raises UnsupportedModel where a file is plainly not what its suffix says."""
    with path.open("rb") as file:
        start = file.read(512)
    if found := _what(path, start, kind):
        what = "a SavedModel" if kind is Kind.SAVED_MODEL else f"a {path.suffix} model"
        raise UnsupportedModel(f"{path} is {found[0]}, not {what}", hint=found[1])


def _what(path: Path, start: bytes, kind: Kind) -> tuple[str, str] | None:
    if found := _no_model(start):
        return found
    zipped = start.startswith(b"PK")
    if kind is Kind.ONNX:
        return ("a zip archive", "unpack it and give the .onnx inside") if zipped else None
    if kind is Kind.SAVED_MODEL:
        return None
    if kind is Kind.KERAS:
        return _no_keras(path, start, zipped)
    again = torch_files.AGAIN
    if kind is Kind.PICKLED:
        return (torch_files.archive(path) or ("a zip archive", again)) if zipped else None
    if not zipped:
        return "no zip archive, as torch.export.save writes", again
    return None if torch_files.is_program(path) else torch_files.archive(path)


def _no_model(start: bytes) -> tuple[str, str] | None:
    """What a file is, by its first bytes, that is no model of any kind."""
    if not start:
        return "empty", torch_files.AGAIN
    if start.startswith(b"version https://git-lfs"):
        return "a git-lfs pointer", "run `git lfs pull`"
    if start.lstrip()[:1] == b"<" and re.match(rb"\s*<(!doctype|html|\?xml)", start, re.I):
        return "an HTML or XML page", "download the file itself, not the page about it"
    return None


def _no_keras(path: Path, start: bytes, zipped: bool) -> tuple[str, str] | None:
    hdf5 = start.startswith(b"\x89HDF\r\n\x1a\n")
    if path.suffix in HDF5:
        other = ("a zip archive, as Keras 3 writes", "name it x.keras") if zipped else None
        return None if hdf5 else other or ("no HDF5 file", 'write it again: model.save("x.keras")')
    if hdf5:
        return "an HDF5 file, as older Kerases write", "name it x.h5"
    return None if zipped else ("no zip archive, as model.save writes", "write it again")


def _is_callable(source: str) -> bool:
    place, colon, name = source.rpartition(":")
    dotted = re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", place)
    return bool(colon and name.isidentifier() and (place.endswith(".py") or dotted))


def _present(path: Path) -> Path:
    if path.is_dir():
        raise ConfigError(f"{path} is a directory", hint="give the file inside it")
    if not path.is_file():
        raise ConfigError(
            f"{path} does not exist", hint="check the path; it is relative to deploy.toml's folder"
        )
    return path


def _no_source(source: str, path: Path) -> ConfigError | UnsupportedModel:
    forms = (
        "file.py:callable, package.module:callable, x.pt2, x.pt (TorchScript), x.onnx, x.keras, "
        "x.h5, x.joblib or the folder of a SavedModel"
    )
    if path.is_dir():
        return ConfigError(
            f"{path} is a directory without {SAVED_MODEL}, not a model", hint=f"give {forms}"
        )
    if path.suffix == ".py":
        return _no_callable(source, _present(path))
    if path.is_file() and path.suffix in CHECKPOINTS:
        return _of_torch(source, path)
    if path.is_file() and path.suffix in OF_TENSORFLOW:
        return _of_tensorflow(source, path)
    if path.is_file():
        return UnsupportedModel(
            f"{source}: {path.suffix or 'files without a suffix'} cannot be loaded",
            hint=f"export it to .onnx; sources are {forms}",
        )
    if not path.suffix or ":" in source:
        return ConfigError(f"{source!r} is no source", hint=f"give {forms}")
    return ConfigError(f"{path} does not exist", hint=f"check the path; sources are {forms}")


def _of_torch(source: str, path: Path) -> UnsupportedModel:
    with path.open("rb") as file:
        start = file.read(512)
    what, hint = _no_model(start) or torch_files.told(path)
    return UnsupportedModel(f"{source} is {what}", hint=hint)


def _of_tensorflow(source: str, path: Path) -> UnsupportedModel | ConfigError:
    if path.name == SAVED_MODEL:
        # It would have been a folder's, had the folder been given.
        return ConfigError(
            f"{source} is the graph of a SavedModel, without its weights",
            hint=f"give its folder: {path.parent}",
        )
    what, hint = OF_TENSORFLOW[path.suffix]
    return UnsupportedModel(f"{source} {what}", hint=hint)


def _no_callable(source: str, path: Path) -> ConfigError:
    names = public_names(path)
    example = f"{source}:{names[0]}" if names else f"{source}:callable"
    return ConfigError(
        f"{source} does not say which callable gives the model",
        hint=f"write {example}" + (f"; there are {', '.join(names)}" if len(names) > 1 else ""),
    )


def public_names(path: Path) -> list[str]:
    """The functions and classes that a file defines, found without running it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return []
    defined = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return [node.name for node in defined if not node.name.startswith("_")]
