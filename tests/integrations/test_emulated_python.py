"""A Python on an emulated ARM: what it runs on, and what it does not see of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.integrations import emulated_python
from deploy_targets.integrations.beside import LOCKS
from deploy_targets.integrations.emulated_python import EmulatedPython
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="QEMU emulates single programs on Linux only"
)
LOCK = LOCKS / "litert_arm.txt"
IMPORTS = ("json", "importlib.metadata", "platform", "numpy", "ai_edge_litert.interpreter")
"""As the tflite target asks for, so that they are compiled once for a machine."""
TELL = """
import json, os, platform, sys
import numpy
said = {"machine": platform.machine(), "numpy": numpy.__file__, "sees": sorted(os.environ)}
said["cpu"] = open("/proc/cpuinfo").read()
said["compiled"] = numpy.__cached__
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> EmulatedPython:
    folder = tmp_path_factory.mktemp("arm") / "links"
    return emulated_python.python(LOCK, "cortex-a53", IMPORTS, Workspace(), folder)


def test_it_is_the_processor_that_was_asked_for_and_sees_its_own_packages(
    arm: EmulatedPython, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    script = tmp_path / "tell.py"
    script.write_text(TELL)
    command = [*arm.command, str(script)]
    ran = subprocess.run(
        command, env=dict(arm.environment), capture_output=True, text=True, check=True
    )
    said = json.loads(ran.stdout)
    assert said["machine"] == "aarch64"
    assert "CPU part\t: 0xd03" in said["cpu"]
    assert said["numpy"].startswith(arm.environment["PYTHONPATH"])
    assert "PYTHONHOME" not in said["sees"]
    assert arm.where.startswith("Python 3.13.")
    assert arm.where.endswith(" as cortex-a53")
    # Compiling takes an emulated processor longer than everything else.
    assert Path(said["compiled"]).is_file()
    assert "emulated-bytecode" in said["compiled"]


def test_what_cannot_be_imported_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="No module named 'nothing'"):
        emulated_python.python(LOCK, "cortex-a53", ("nothing",), Workspace(), tmp_path / "links")


def test_without_an_emulator_it_says_how_to_get_one(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as missing:
        emulated_python.python(LOCK, "cortex-a53", (), workspace, tmp_path / "links")
    assert "apt-get install qemu-user-static" in missing.value.hint
