"""The user's samples as raw bytes: photos, recordings, tables. In: a folder. Out: bytes by input.

A file is a case of a model that takes nothing else. Where a model takes more, a case is a folder:
in it one file per input, named as the input, and tensors as .npy for those without declared steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from deploy_targets.binding import sizes_of
from deploy_targets.errors import ConfigError
from deploy_targets.parity.made import Question, synthetic
from deploy_targets.parity.samples import SUFFIXES
from deploy_targets.records import Array, Golden, Staging, Tensors
from deploy_targets.stages.base import Before
from deploy_targets.stages.compose import raw_cases

ASKED_AGAIN = 8


def questions(
    samples: Mapping[str, Tensors],
    tables: Mapping[str, Before],
    staging: Staging,
    model: Golden,
) -> list[Question]:
    """The user's raw samples, then raw inputs that are awkward and yet right.

    Where only what comes after the model is declared, its own tensors are asked again, one item
    at a time where there is a batch.
    """
    if not tables:
        return list(_again(model))[:ASKED_AGAIN]
    asked = [Question(name, "a sample", tensors, False) for name, tensors in samples.items()]
    # One request is one item, so whatever is no raw input is a batch of one.
    signature = model.signature
    rest = synthetic(signature, {signature.batch: 1} if signature.batch else {}, 0)
    for name, why, given in raw_cases(tables, signature):
        if name in samples:
            raise ConfigError(
                f"sample {name} has the name of a made-up case", hint="rename the sample"
            )
        others = {key: array for key, array in rest.items() if key not in staging.ports}
        asked.append(Question(name, why, {**others, **given}, True))
    return asked


def _again(model: Golden) -> Iterator[Question]:
    batch = model.signature.batch
    for case in model.cases:
        if sizes_of(model.signature.inputs, case.inputs).get(batch or "", 1) == 1:
            yield Question(case.name, case.why, case.inputs, case.synthetic)


def read(path: Path | None, staging: Staging) -> dict[str, Tensors]:
    """Case -> input -> raw bytes as uint8, or a tensor. Raises ConfigError naming the file."""
    if path is None:
        return {}
    found: dict[str, Tensors] = {}
    for place in files(path, staging.suffixes):
        if place.stem in found:
            raise ConfigError(
                f"two samples in {path} are called {place.stem!r}",
                hint="rename or remove one: a case is named after its file",
            )
        found[place.stem] = _folder(place, staging) if place.is_dir() else _file(place, staging)
    return found


def files(path: Path, suffixes: Mapping[str, Sequence[str]]) -> list[Path]:
    """The files and folders that hold raw samples, sorted by name.

    Hidden files, and tensors, which `samples` reads, are left out. Raises ConfigError for others:
    a sample that is not asked would look like one that was.
    """
    every = sorted({suffix for several in suffixes.values() for suffix in several})
    if not path.is_dir():
        places = [path] if path.is_file() else []
    else:
        places = sorted(place for place in path.iterdir() if not place.name.startswith("."))
    return [place for place in places if _is_raw(place, every)]


def _is_raw(place: Path, every: Sequence[str]) -> bool:
    if place.is_dir() or place.suffix.lower() in every:
        return True
    if every and place.suffix not in SUFFIXES:
        raise ConfigError(
            f"{place} holds no sample: {', '.join((*every, *SUFFIXES))} are read",
            hint="save it as one of these, or move it out of the folder of samples",
        )
    return False


def _file(file: Path, staging: Staging) -> Tensors:
    names = [spec.name for spec in staging.signature.inputs]
    if len(names) != 1:
        raise ConfigError(
            f"sample {file} is one file, and the model takes {', '.join(names)}",
            hint=f"make it a folder {file.stem}/ with one file per input, named as the input",
        )
    return {names[0]: _bytes(file)}


def _folder(folder: Path, staging: Staging) -> Tensors:
    found: dict[str, Array] = {}
    used: set[str] = set()
    for spec in staging.signature.inputs:
        wanted = staging.suffixes.get(spec.name, (".npy",))
        place = next(
            (f for f in sorted(folder.glob(f"{spec.name}.*")) if f.suffix.lower() in wanted), None
        )
        if place is None:
            raise ConfigError(
                f"sample {folder} has no {spec.name}{wanted[0]}",
                hint=f"put a file {spec.name} there, with one of {', '.join(wanted)}",
            )
        found[spec.name] = _bytes(place) if spec.name in staging.ports else _tensor(place)
        used.add(place.name)
    if rest := sorted({f.name for f in folder.glob("[!.]*")} - used):
        raise ConfigError(
            f"sample {folder} holds {rest[0]}, which is read as no input",
            hint=f"move it elsewhere; of this sample {', '.join(sorted(used))} would be asked",
        )
    return found


def _bytes(file: Path) -> Array:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"sample {file} cannot be read: {error.strerror}", hint="see its mode"
        ) from error
    return np.frombuffer(data, np.uint8)


def _tensor(file: Path) -> Array:
    try:
        array: Array = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"sample {file} cannot be read: {error}", hint="save it again with numpy.save"
        ) from error
    return array
