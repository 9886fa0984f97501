"""Puts a fault where it acts: into a copy of a bundle, or before the runner that opens it.

A wrong graph is sealed again, so that only its runtime can tell; a wrong file is not, so that the
bundle must not open.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets.errors import ConfigError
from deploy_targets.records import Answer, Bundle, Call, Graph, Tensors
from deploy_targets.runtime import Runner, Session
from deploy_targets.testing.faults.fault import Fault, Place

ONNX = ".onnx"


@dataclass(frozen=True)
class Planted:
    """Where the fault is now: open `folder`, and run it with `runner`."""

    folder: Path
    runner: Runner


def plant(
    fault: Fault,
    bundle: Bundle,
    runner: Runner,
    folder: Path,
    strength: float | None = None,
    seed: int = 0,
) -> Planted | None:
    """Plants a fault of any place, at its grossest unless told; None where it has no place.

    `folder` must not exist; it is made where the bundle itself is changed. Raises ConfigError
    where the fault is one of a graph and the bundle holds none in ONNX.
    """
    chosen = fault.strengths[0] if strength is None else strength
    if fault.place is Place.GRAPH:
        changed = in_bundle(bundle, fault, folder, chosen, seed)
        return None if changed is None else Planted(changed.path, runner)
    if fault.place is Place.FILE:
        name = _models(bundle)[0]
        found = in_file(bundle, name, fault, folder, chosen, seed)
        return Planted(found, runner) if found else None
    saboteur = Saboteur(runner, fault, chosen, seed)
    return Planted(bundle.path, saboteur) if saboteur.acts_on(bundle) else None


def in_bundle(
    bundle: Bundle, fault: Fault, folder: Path, strength: float, seed: int = 0
) -> Bundle | None:
    """A copy whose graph is wrong and whose seal is right; None where the fault has no place."""
    _expect(fault, Place.GRAPH)
    name, member = _graph_of(bundle)
    raw = (bundle.path / name).read_bytes() if member is None else _read(bundle.path / name, member)
    spoilt = _spoilt(raw, fault, strength, seed)
    if spoilt is None:
        return None
    _copy(bundle, folder)
    if member is None:
        (folder / name).write_bytes(spoilt)
    else:
        _replace_member(bundle.path / name, member, spoilt, folder / name)
    roles = {name: record.role for name, record in bundle.manifest.files.items()}
    return bundles.seal(folder, bundle.manifest, roles)


def in_graph(
    graph: Graph, fault: Fault, folder: Path, strength: float, seed: int = 0
) -> Graph | None:
    """A captured ONNX graph with a fault, written to `folder`; None where it has no place."""
    _expect(fault, Place.GRAPH)
    spoilt = _spoilt((graph.folder / "model.onnx").read_bytes(), fault, strength, seed)
    if spoilt is None:
        return None
    (folder / "model.onnx").write_bytes(spoilt)
    return replace(graph, folder=folder)


def in_file(
    bundle: Bundle, name: str, fault: Fault, folder: Path, strength: float, seed: int = 0
) -> Path | None:
    """A copy in which one file is not what was sealed; None where the fault has no place."""
    _expect(fault, Place.FILE)
    wrong = fault.change((bundle.path / name).read_bytes(), strength, seed)
    if wrong is None:
        return None
    _copy(bundle, folder)
    (folder / name).write_bytes(wrong)
    return folder


def in_answers(
    fault: Fault, said: Sequence[Tensors], strength: float, seed: int = 0
) -> list[Tensors | None]:
    """The wrong answers to a row of calls; None for those on which the fault has no place."""
    _expect(fault, Place.ANSWERS)
    if fault.across_calls:
        return [fault.change(said[: n + 1], strength, seed) for n in range(len(said))]
    return [fault.change(each, strength, seed) for each in said]


class Saboteur:
    """A runner whose sessions are given wrong inputs, or whose answers are altered."""

    def __init__(self, runner: Runner, fault: Fault, strength: float, seed: int = 0) -> None:
        _expect(fault, Place.INPUTS, Place.ANSWERS)
        self._runner, self._fault, self._strength, self._seed = runner, fault, strength, seed

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        """Opens the bundle in the honest runner and stands in front of it."""
        with self._runner.open(bundle, lane) as session:
            yield _Sabotaged(session, self._fault, self._change)

    def acts_on(self, bundle: Bundle) -> bool:
        """Whether the fault has a place in any golden call of the bundle."""
        checks = list(bundles.read_golden(bundle))
        if self._fault.place is Place.INPUTS:
            return any(self._change(check.call.inputs) is not None for check in checks)
        said = [check.expected for check in checks]
        wrong = in_answers(self._fault, said, self._strength, self._seed)
        return any(answer is not None for answer in wrong)

    def _change(self, thing: object) -> Tensors | None:
        changed: Tensors | None = self._fault.change(thing, self._strength, self._seed)
        return changed


class _Sabotaged:
    """Where the fault has no place in a call, the call goes through as it is."""

    def __init__(
        self, session: Session, fault: Fault, change: Callable[[object], Tensors | None]
    ) -> None:
        self._session, self._fault, self._change = session, fault, change
        self._said: list[Tensors] = []

    @property
    def where(self) -> str:
        return self._session.where

    @property
    def notes(self) -> tuple[str, ...]:
        return self._session.notes

    def run(self, call: Call) -> Answer:
        if self._fault.place is Place.INPUTS:
            return self._session.run(replace(call, inputs=self._change(call.inputs) or call.inputs))
        answer = self._session.run(call)
        self._said.append(answer.outputs)
        said = self._said if self._fault.across_calls else answer.outputs
        changed = self._change(said)
        return answer if changed is None else replace(answer, outputs=changed)


def _expect(fault: Fault, *places: Place) -> None:
    if fault.place not in places:
        raise ConfigError(
            f"{fault.name} acts on the {fault.place}, not on the {' or '.join(places)}",
            hint="plant() takes faults of every place",
        )


def _spoilt(raw: bytes, fault: Fault, strength: float, seed: int) -> bytes | None:
    import onnx

    changed = fault.change(onnx.load_model_from_string(raw), strength, seed)
    return None if changed is None else changed.SerializeToString(deterministic=True)


def _models(bundle: Bundle) -> list[str]:
    files = bundle.manifest.files
    return [name for name, record in files.items() if record.role == "model"]


def _graph_of(bundle: Bundle) -> tuple[str, str | None]:
    """The file that holds the graph and, where that is a zip, the member inside it."""
    for name in _models(bundle):
        if name.endswith(ONNX):
            return name, None
        if zipfile.is_zipfile(bundle.path / name):
            with zipfile.ZipFile(bundle.path / name) as archive:
                for member in archive.namelist():
                    if member.endswith(ONNX):
                        return name, member
    raise ConfigError(
        f"{bundle.path} holds no graph in ONNX",
        hint="plant the fault before building, with in_graph(), or use one of inputs or answers",
    )


def _read(archive: Path, member: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(member)


def _replace_member(source: Path, member: str, raw: bytes, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info, raw if info.filename == member else old.read(info))


def _copy(bundle: Bundle, folder: Path) -> None:
    shutil.copytree(bundle.path, folder, ignore=shutil.ignore_patterns(bundles.PARITY))
