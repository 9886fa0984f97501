"""One model's honest answers on disk, so that rules can be tried again in seconds.

<cache>/corpus/<model>/
    about.json          signature, cases without their arrays, noise as the golden set states it
    golden.npz          `<case>|inputs|<name>`, `<case>|outputs|<name>`, `<case>|noise|<name>`
    graphs/<how>/       model.onnx as captured
    honest/<build>.npz  `<case>|<output>` as `<converter>.<runtime and its options>` answered
    refused.json        build -> why there is none
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from pydantic import TypeAdapter

from deploy_targets.records import Array, Case, Golden, Signature, Tensors

Answers = Mapping[str, Mapping[str, Array]]
"""case -> output -> what was answered"""


@dataclass(frozen=True)
class Entry:
    """The folder of one model."""

    folder: Path

    @property
    def name(self) -> str:
        """Its id, such as "vit-2"."""
        return self.folder.name

    def graph(self, how: str) -> Path:
        """Where the graph of one exporter lies."""
        return self.folder / "graphs" / how / "model.onnx"

    def graphs(self) -> dict[str, Path]:
        """Those that were captured, the first to be tried by a build coming first."""
        found = {path.parent.name: path for path in self.folder.glob("graphs/*/model.onnx")}
        return dict(sorted(found.items()))

    def builds(self) -> list[str]:
        """The honest builds that answered."""
        return sorted(path.stem for path in self.folder.glob("honest/*.npz"))

    def write_golden(self, golden: Golden) -> None:
        """Arrays into golden.npz, all else into about.json."""
        flat: dict[str, Array] = {}
        cases: list[dict[str, Any]] = []
        for case in golden.cases:
            plain: dict[str, Any] = {}
            for field in dataclasses.fields(case):
                value = getattr(case, field.name)
                if isinstance(value, Mapping):
                    flat |= {f"{case.name}|{field.name}|{key}": a for key, a in value.items()}
                else:
                    plain[field.name] = value
            cases.append(plain)
        self.folder.mkdir(parents=True, exist_ok=True)
        np.savez(self.folder / "golden.npz", allow_pickle=False, **flat)
        stated = {
            key: adapter.dump_python(getattr(golden, key), mode="json")
            for key, adapter in _stated().items()
        }
        about = {"golden": stated, "cases": cases}
        self._write("about.json", about)

    def read_golden(self) -> Golden:
        """The golden set as it was recorded, its noise included."""
        stated = self._about()["golden"]
        found = {key: adapter.validate_python(stated[key]) for key, adapter in _stated().items()}
        return Golden(cases=self.read_cases(), **found)

    def signature(self) -> Signature:
        """The model's signature."""
        found: Signature = TypeAdapter(Signature).validate_python(
            self._about()["golden"]["signature"]
        )
        return found

    def read_cases(self) -> tuple[Case, ...]:
        """The cases with all their arrays."""
        arrays: dict[str, dict[str, dict[str, Array]]] = {}
        with np.load(self.folder / "golden.npz") as archive:
            for key in archive.files:
                case, field, name = key.split("|", 2)
                arrays.setdefault(case, {}).setdefault(field, {})[name] = archive[key]
        named = {field.name for field in dataclasses.fields(Case)}
        return tuple(
            Case(**plain, **{k: a for k, a in arrays[plain["name"]].items() if k in named})
            for plain in self._about()["cases"]
        )

    def write_ones(self, inputs: Tensors, outputs: Tensors) -> None:
        """Inputs that are all ones, and the original's answer to them."""
        flat = {f"inputs|{name}": array for name, array in inputs.items()}
        flat |= {f"outputs|{name}": array for name, array in outputs.items()}
        np.savez(self.folder / "ones.npz", allow_pickle=False, **flat)

    def read_ones(self) -> Case:
        """The case of ones."""
        found: dict[str, dict[str, Array]] = {"inputs": {}, "outputs": {}}
        with np.load(self.folder / "ones.npz") as archive:
            for key in archive.files:
                side, name = key.split("|", 1)
                found[side][name] = archive[key]
        return Case("ones", "all ones", found["inputs"], found["outputs"], synthetic=True)

    def write(self, build: str, answers: Answers) -> None:
        """The answers of one honest build."""
        path = self.folder / "honest" / f"{build}.npz"
        path.parent.mkdir(exist_ok=True)
        flat = {f"{case}|{name}": a for case, said in answers.items() for name, a in said.items()}
        np.savez(path, allow_pickle=False, **flat)

    def read(self, build: str) -> dict[str, dict[str, Array]]:
        """The answers of one honest build."""
        found: dict[str, dict[str, Array]] = {}
        with np.load(self.folder / "honest" / f"{build}.npz") as archive:
            for key in archive.files:
                case, name = key.split("|", 1)
                found.setdefault(case, {})[name] = archive[key]
        return found

    def refuse(self, build: str, why: str) -> None:
        """Notes why there is no such build; a build that was there before goes."""
        (self.folder / "honest" / f"{build}.npz").unlink(missing_ok=True)
        self._write("refused.json", {**self.refused(), build: why})

    def refused(self) -> dict[str, str]:
        """build -> why there is none."""
        path = self.folder / "refused.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
        return found

    def tried(self, build: str) -> bool:
        """Whether it is known how this build ends."""
        return (self.folder / "honest" / f"{build}.npz").is_file() or build in self.refused()

    def _about(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "about.json").read_text("utf-8"))
        return found

    def _write(self, name: str, plain: object) -> None:
        text = json.dumps(plain, indent=1, sort_keys=True)
        (self.folder / name).write_text(text + "\n", encoding="utf-8")


def _stated() -> dict[str, TypeAdapter[Any]]:
    """What a golden set says besides its arrays."""
    kinds = get_type_hints(Golden)
    return {key: TypeAdapter(kind) for key, kind in kinds.items() if key != "cases"}


def entry(cache: Path, model: str) -> Entry:
    """The folder of a model, whether it exists or not."""
    return Entry(cache / "corpus" / model)


def entries(cache: Path) -> Iterator[Entry]:
    """Every model that was recorded, by name."""
    for path in sorted((cache / "corpus").glob("*/about.json")):
        yield Entry(path.parent)
