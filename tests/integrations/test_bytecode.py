from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from deploy_targets.errors import ConversionFailed
from deploy_targets.integrations import interpreters
from deploy_targets.integrations.bytecode import byte_compile
from deploy_targets.integrations.interpreters import Interpreter

SOURCE = """'Says what it is.'
NAMES = frozenset({'a', 'b', 'c'})
def f(x):
    return x in {'u', 'v', 'w', 'x'}
"""
UNCHECKED = 0b01


@pytest.fixture
def here() -> Interpreter:
    found = interpreters.find(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found
    return found


def sources(folder: Path) -> Path:
    (folder / "pkg").mkdir(parents=True)
    for name in ("__init__", "a", "b"):
        (folder / "pkg" / f"{name}.py").write_text(SOURCE + f"NAME = {name!r}\n")
    return folder


def test_the_same_sources_give_the_same_byte_code_in_another_folder(
    here: Interpreter, tmp_path: Path
) -> None:
    folders = sources(tmp_path / "one"), sources(tmp_path / "deeper" / "two")
    for folder in folders:
        byte_compile(here, folder, seen_as="/var/task", keep_sources=False)
    one, two = ({p.name: p.read_bytes() for p in (f / "pkg").iterdir()} for f in folders)
    assert one == two
    assert set(one) == {"__init__.pyc", "a.pyc", "b.pyc"}
    assert all(b"/var/task/pkg/" in code for code in one.values())
    assert not any(str(tmp_path).encode() in code for code in one.values())


def test_the_users_settings_do_not_change_the_byte_code(
    here: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = sources(tmp_path / "one"), sources(tmp_path / "two")
    byte_compile(here, one, seen_as="/var/task", keep_sources=False)
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    byte_compile(here, two, seen_as="/var/task", keep_sources=False)
    assert (one / "pkg" / "a.pyc").read_bytes() == (two / "pkg" / "a.pyc").read_bytes()


def test_byte_code_beside_its_source_is_never_checked_against_it(
    here: Interpreter, tmp_path: Path
) -> None:
    folder = sources(tmp_path)
    byte_compile(here, folder, seen_as="/var/task", keep_sources=True)
    (folder / "pkg" / "a.py").write_text("raise SystemError('this was compiled again')")
    (code,) = (folder / "pkg" / "__pycache__").glob("a.*.pyc")
    assert code.read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert code.read_bytes()[4] == UNCHECKED
    command = [here.executable, "-S", "-c", "import pkg.a; print(pkg.a.NAME)"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert ran.stdout == "a\n"


def test_a_source_that_does_not_compile_is_named(here: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(ConversionFailed, match=r"broken\.py"):
        byte_compile(here, tmp_path, seen_as="/var/task", keep_sources=True)
