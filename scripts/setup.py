"""Prepares `.venv`: system packages, torch, then the project, each pinned by constraints.txt.

`setup.py` alone prepares the project; `setup.py FILE` also installs a fully hashed requirements
file, for an example. Standard library only, and fast when there is nothing to do: a stamp in
`.venv` holds a digest of all that decides the result, and is written last, so a setup that was
interrupted is done again. To add a system package, add it to `TOOLS`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "setup.log"
CONSTRAINTS = ROOT / "constraints.txt"

# Program -> the Debian package that has it, and what cannot be done without it.
TOOLS = {
    "bwrap": ("bubblewrap", "bundles cannot be run in a sandbox"),
    "qemu-aarch64-static": ("qemu-user-static", "arm64 bundles cannot be run"),
    "chromium": ("chromium", "web bundles cannot be run"),
    "firefox-esr": ("firefox-esr", "web bundles cannot be run in a second browser"),
    "node": ("nodejs", "web bundles cannot be built"),
    # Debian 12's has 350 small packages behind it, 23 MB to download; other sources' nodejs has it.
    "npm": ("npm", "what runs models in the browser cannot be fetched"),
    "java": ("openjdk-17-jre-headless", "the Kotlin of the Android project cannot be checked"),
    # A jar is no program: by its path.
    "/usr/share/java/junit4.jar": ("junit4", "the Kotlin of the Android project cannot be tested"),
    "g++": ("g++", "the C++ SDK cannot be compiled"),
    "/usr/include/jpeglib.h": ("libjpeg-dev", "the C++ SDK cannot be compiled"),
    "/usr/include/zlib.h": ("zlib1g-dev", "the C++ SDK cannot be compiled"),
}


LAMBDA_PYTHON = "3.13"
FIND_PYTHON = (
    "from deploy_targets.integrations.interpreters import newest; "
    "from deploy_targets.targets.aws_lambda.native import RUNTIMES"
)


class StepFailed(Exception):
    """A command ended badly; its output is in the log."""


def main(arguments: Sequence[str]) -> int:
    """Brings `.venv` up to date. Returns the exit status."""
    try:
        up_to_date("setup", (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__)), prepare)
        tell_what_is_missing()
        for name in arguments:
            wanted = Path(name).resolve()
            install = functools.partial(install_hashed, wanted)
            up_to_date(f"setup-{wanted.parent.name}", (wanted,), install)
    except StepFailed as failure:
        say(f"{failure} failed; the end of {LOG.relative_to(ROOT)}:")
        say("\n".join(LOG.read_text(errors="replace").splitlines()[-25:]), mark="")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run it again to go on")
        return 130
    return 0


def up_to_date(name: str, depends: Sequence[Path], make: Callable[[], None]) -> None:
    """Runs `make` unless it ran to its end before with the same files and the same Python."""
    stamp = VENV / f"{name}.stamp"
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for file in depends:
        digest.update(file.read_bytes())
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest.hexdigest())


def prepare() -> None:
    """System packages, then an environment, then torch, then the project."""
    install_missing_tools()
    up_to_date("environment", (), make_environment)
    # torch goes first and by a plain name, so that the machine's own pip configuration decides
    # which build of this version comes (CPU or CUDA); the rest then finds it installed.
    step(f"torch {pinned('torch')}", pip("torch"))
    # The build backend is installed like anything else: isolated builds would fetch another one.
    step("build backend", pip("hatchling", "editables"))
    step("deploy-targets[all,dev]", pip("--no-build-isolation", "-e", f"{ROOT}[all,dev]"))
    install_python_of_lambda()


def make_environment() -> None:
    """An empty `.venv` with the pinned pip; all that was there before goes, except the log."""
    VENV.mkdir(exist_ok=True)
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != LOG:
            entry.unlink()
    # The interpreter beneath, in case this one is the .venv that was just removed.
    base = getattr(sys, "_base_executable", sys.executable)
    step(f"environment (Python {platform.python_version()})", [base, "-m", "venv", str(VENV)])
    step(f"pip {pinned('pip')}", pip("pip"))


def install_hashed(requirements: Path) -> None:
    """Installs exactly the files that a requirements file names by their hashes."""
    step(
        f"packages of {requirements.parent.name}",
        pip("--no-deps", "--require-hashes", "-r", str(requirements), constrained=False),
    )


def pip(*arguments: str, constrained: bool = True) -> list[str]:
    """A quiet `pip install` in the environment, by default of the pinned versions."""
    quiet = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
    pins = ("-c", str(CONSTRAINTS)) if constrained else ()
    return [str(PYTHON), "-m", "pip", "install", *quiet, *pins, *arguments]


def pinned(package: str) -> str:
    """The version of a package in constraints.txt."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"setup: constraints.txt does not pin {package}; run make constraints")
    return found[1]


def missing_tools() -> list[str]:
    """Programs that the checks use and this machine, if it is Linux, does not have."""
    if platform.system() != "Linux":
        return []
    return [tool for tool in TOOLS if shutil.which(tool) is None and not Path(tool).is_file()]


def install_missing_tools() -> None:
    """Installs system packages where that can be done without asking: as root on Debian."""
    packages = [TOOLS[tool][0] for tool in missing_tools()]
    if importlib.util.find_spec("ensurepip") is None:
        packages.append(f"python3.{sys.version_info.minor}-venv")
    if not packages or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    VENV.mkdir(exist_ok=True)
    try:
        step("package lists", ["apt-get", "update", "-q"])
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
        step(" ".join(packages), [*install, *packages])
    except StepFailed as failure:
        say(f"{failure} failed (see {LOG.relative_to(ROOT)}); going on without")


def install_python_of_lambda() -> None:
    """A Python that AWS Lambda has too: functions are compiled and run with it. Debian 12's is not.

    Where uv cannot fetch one, those who build for Lambda are told so by the build.
    """
    find = [str(PYTHON), "-c", f"import sys; {FIND_PYTHON}; sys.exit(newest(RUNTIMES) is None)"]
    fetch = [str(PYTHON), "-m", "uv", "python", "install", LAMBDA_PYTHON]
    if subprocess.run(find, check=False).returncode == 0:
        return
    try:
        step(f"Python {LAMBDA_PYTHON}", fetch)
    except StepFailed:
        say(
            "no Python of AWS Lambda was found, and none could be fetched; install Python "
            f"{LAMBDA_PYTHON}, or lambda bundles cannot be built (see {LOG.relative_to(ROOT)})"
        )


def tell_what_is_missing() -> None:
    """One line for each program that could not be installed. Nothing stops for it here."""
    for tool in missing_tools():
        package, loss = TOOLS[tool]
        say(f"{tool} was not found, so {loss}; install it (Debian: apt-get install {package})")


def step(what: str, command: Sequence[str]) -> None:
    """Runs one command, its output going to the log, and says how long it took."""
    began = time.monotonic()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if done.returncode != 0:
        raise StepFailed(what)
    say(f"{what:<36}{time.monotonic() - began:6.1f} s")


def say(line: str, *, mark: str = "setup: ") -> None:
    """Progress, for a person: on stderr, like every progress of this project."""
    sys.stderr.write(f"{mark}{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
