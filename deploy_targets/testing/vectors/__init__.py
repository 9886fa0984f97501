"""Test vectors: what the steps around a model must give, for whoever implements them anew.

Tables as deploy.toml has them are run in Python, step by step, over inputs that show the usual
mistakes. Out: a safetensors file for each operation and one for each kind of whole chain, the same
bytes every time; docs/preprocessing.md says how to read them.

photos.py, recordings.py, sheets.py    what is asked before the model: tables, and raw bytes
answers.py                             what is asked after it: tables, and a model's outputs
declared.py                            a table and an input -> cases
slack.py                               how far another implementation may be off, and why
case.py                                a case: the reference's answer, as it is written and read
judging.py                             whether an answer satisfies a case

To add one: a table or an input in the file of its medium.
"""

from __future__ import annotations

from pathlib import Path

from deploy_targets.testing.vectors import answers, photos, recordings, sheets
from deploy_targets.testing.vectors.case import Case, answer, read, save
from deploy_targets.testing.vectors.judging import wrong


def write(folder: Path) -> list[Path]:
    """Writes every file of vectors into a folder, which may be new; returns them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, cases in sorted(_files().items()):
        files[name] = folder / f"{name}.safetensors"
        save(cases, files[name])
    return list(files.values())


def _files() -> dict[str, list[Case]]:
    """The cases of each file; what two tables ask alike is in it once."""
    files: dict[str, list[Case]] = {}
    seen = set()
    for room in (photos, recordings, sheets, answers):
        for file, case in room.cases():
            if case.digest not in seen:
                seen.add(case.digest)
                files.setdefault(file, []).append(case)
    return files


__all__ = ["Case", "answer", "read", "write", "wrong"]
