"""The user's samples. In: a folder or a file of .npz, .npy or .safetensors. Out: tensors by name.

One file is one case. A .npy holds one array, and so serves models of one input.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np

from deploy_targets.errors import ConfigError
from deploy_targets.records import Array, Signature, Tensors
from deploy_targets.workspace import digest_of, digest_of_file

SUFFIXES = (".npz", ".npy", ".safetensors")


def files(path: Path) -> list[Path]:
    """The files that hold tensors, sorted by name. Raises ConfigError where nothing is there."""
    if path.is_file():
        return [path] if path.suffix in SUFFIXES else []
    if not path.is_dir():
        raise ConfigError(
            f"samples = {str(path)!r} does not exist", hint="correct `samples`, or leave it out"
        )
    return sorted(f for f in path.iterdir() if f.suffix in SUFFIXES and f.is_file())


def digest(path: Path | None) -> str:
    """SHA-256 over names and contents, the same in whatever folder they lie."""
    if path is None:
        return ""
    if not path.exists():
        return "absent"  # a mistake, and not the same as none
    every = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    return digest_of(
        [
            [f.relative_to(path).as_posix() if f != path else f.name, digest_of_file(f)]
            for f in every
        ]
    )


def none_in(path: Path) -> ConfigError:
    """The error for a place that holds no sample at all."""
    return ConfigError(
        f"{path} holds no sample",
        hint=f"put one file per case there ({', '.join(SUFFIXES)}, or photos, recordings and "
        "tables where [inputs.NAME.preprocess] says what they are), or leave `samples` out",
    )


def read(path: Path | None, signature: Signature) -> dict[str, Tensors]:
    """Case name -> input name -> array. Raises ConfigError naming the file that is wrong."""
    found: dict[str, Tensors] = {}
    for file in files(path) if path else []:
        if file.stem in found:
            raise ConfigError(
                f"two samples in {path} are called {file.stem!r}, and differ in their suffix alone",
                hint="rename or remove one: a case is named after its file",
            )
        found[file.stem] = _read_file(file, signature)
    return found


def _read_file(file: Path, signature: Signature) -> dict[str, Array]:
    try:
        loaded = _loaded(file)
    except Exception as error:
        # Whatever a reader of somebody's file raises, the file is what is wrong.
        raise ConfigError(
            f"sample {file} cannot be read: {error}", hint="save it again with numpy.savez"
        ) from error
    if isinstance(loaded, np.ndarray):
        loaded = {_only_input(file, signature): loaded}
    # Same numbers, in this machine's byte order: it is no part of a dtype's name.
    return {name: a.astype(a.dtype.newbyteorder("="), copy=False) for name, a in loaded.items()}


def _loaded(file: Path) -> Array | dict[str, Array]:
    from safetensors.numpy import load_file

    if file.suffix == ".safetensors":
        return load_file(file)
    # Pickled arrays are refused: a sample must not run code.
    with np.load(file, allow_pickle=False) if file.suffix == ".npz" else nullcontext() as archive:
        if archive is not None:
            return dict(archive)
    array: Array = np.load(file, allow_pickle=False)
    return array


def _only_input(file: Path, signature: Signature) -> str:
    names = [spec.name for spec in signature.inputs]
    if len(names) != 1:
        raise ConfigError(
            f"sample {file} is a single array, and the model takes {', '.join(names)}",
            hint="save all inputs by name with numpy.savez",
        )
    return names[0]
