"""Which Python is found, among shims that fail and liars."""

from __future__ import annotations

import os
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_targets.integrations import interpreters
from deploy_targets.integrations.lambda_runtime import PYTHONS

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    interpreters.find.cache_clear()
    yield
    interpreters.find.cache_clear()


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_running_interpreter_is_found_outside_of_its_virtual_environment() -> None:
    found = interpreters.find(THIS)
    assert found
    assert found.version.startswith(f"{THIS}.")
    assert found.minor == THIS
    assert (found.stdlib / "os.py").is_file()
    assert found.base_prefix == Path(sys.base_prefix).resolve()
    assert found.executable.is_relative_to(found.base_prefix)
    assert not found.executable.is_symlink()


def test_a_version_that_nobody_has_is_not_found() -> None:
    assert interpreters.find("3.99") is None
    assert interpreters.newest(["3.99"]) is None


def test_the_newest_of_several_is_taken_by_number_not_by_letter() -> None:
    found = interpreters.newest(["3.9", THIS, "3.99"])
    assert found
    assert found.minor == THIS


@pytest.mark.skipif(os.name == "nt", reason="pyenv's shims are scripts of a POSIX shell")
def test_a_shim_that_fails_and_a_program_that_lies_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "shims" / "python3.99", "echo no such version >&2; exit 127")
    program(tmp_path / "lies" / "python3.99", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}/shims:{tmp_path}/lies")
    assert interpreters.find("3.99") is None


@pytest.mark.skipif(os.name == "nt", reason="pyenv for Windows lays its versions out differently")
def test_pyenv_is_searched_and_its_newest_patch_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    for version in ("3.99.2", "3.99.10"):
        script = f'echo {version} >> "{asked}"; exec "{sys.executable}" "$@"'
        program(tmp_path / "versions" / version / "bin" / "python3.99", script)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    interpreters.find("3.99")
    assert asked.read_text().split() == ["3.99.10", "3.99.2"]


def test_a_virtual_environment_on_path_leads_to_the_python_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path, with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    found = interpreters.find(THIS)
    assert found
    assert not found.executable.is_relative_to(tmp_path)


def test_this_machine_has_a_python_that_lambda_has_too() -> None:
    assert interpreters.newest(PYTHONS)
