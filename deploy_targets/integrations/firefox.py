"""The system's Firefox, driven through puppeteer-core in a Node.js process of its own.

In: a URL. Out: a page on which JavaScript can be run, one at a time. Its complaints fail the call
during which they were heard. The driver is web/tools/firefox.mjs; the packages that its lock names
are fetched once. Another Firefox is named by the environment variable DEPLOY_TARGET_FIREFOX.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from deploy_targets.errors import NotRun
from deploy_targets.integrations import pages
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace, digest_of

VARIABLE = "DEPLOY_TARGET_FIREFOX"
NAMES = ("firefox-esr", "firefox")
INSTALL = f"install it (Debian: apt-get install firefox-esr) or name another by {VARIABLE}"
FILES = ("package.json", "package-lock.json", "firefox.mjs")
SECONDS_TO_START, SECONDS_TO_LOAD, SECONDS_TO_CLOSE = 60.0, 60.0, 20.0


def find() -> str:
    """The browser's program. Raises NotRun."""
    if named := os.environ.get(VARIABLE):
        if path := shutil.which(named):
            return path
        raise NotRun(
            f"{VARIABLE} names {named}, which is no program", hint="give the path of a Firefox"
        )
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NotRun("Firefox was not found", hint=INSTALL)
    return found


@contextmanager
def started(workspace: Workspace) -> Iterator[Firefox]:
    """A browser without a window. Raises NotRun where it, Node.js or the driver is missing."""
    path, node, home = find(), _program("node"), _driver(workspace)
    command = [node, str(home / "firefox.mjs"), path]
    # stderr is a file: nobody reads a pipe here, and a full one would stop the driver.
    with workspace.scratch() as scratch, (scratch / "log").open("w+b") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=scratch,
        )
        try:
            yield Firefox(process, scratch / "log")
        finally:
            _end(process)


class Firefox:
    """A started browser, and the line to its driver."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        assert process.stdin
        assert process.stdout
        self._process, self._log, self._numbers = process, log, itertools.count()
        self._to: IO[bytes] = process.stdin
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process.stdout, self._said), daemon=True)
        reader.start()
        try:
            first = self._next(SECONDS_TO_START)
        except PageFailed as error:
            raise NotRun(f"Firefox did not start: {error}", hint=INSTALL) from error
        self._version, self.process = str(first["ready"]), int(first["process"])

    @property
    def name(self) -> str:
        """With its version."""
        return " ".join(self._version.split("/")).title()

    @property
    def alive(self) -> bool:
        """Whether it can still open pages."""
        return self._process.poll() is None

    @contextmanager
    def page(self, url: str) -> Iterator[Tab]:
        """A page in a context of its own, loaded. Raises PageFailed."""
        tab = Tab(self)
        tab.ask("open", {"url": url, "listen": pages.LISTEN}, f"loading {url}", SECONDS_TO_LOAD)
        try:
            yield tab
        finally:
            if self.alive:
                self.say("close", None, SECONDS_TO_CLOSE)

    def say(self, what: str, asked: object, seconds: float) -> dict[str, Any]:
        """The driver's answer; a driver that gives none is ended. Raises PageFailed."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "what": what, "asked": asked})
        try:
            self._to.write(line.encode() + b"\n")
            self._to.flush()
            answer = self._next(seconds)
        except PageFailed:
            self._kill()
            raise
        except (OSError, ValueError) as error:  # ValueError: it was ended before
            raise PageFailed(self._ended()) from error
        assert answer["id"] == number, "one question at a time"
        return answer

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            answer = self._said.get(timeout=seconds)
        except queue.Empty as error:
            raise PageFailed(f"no answer in {seconds:.0f} s") from error
        if answer is None:
            raise PageFailed(self._ended())
        return answer

    def _kill(self) -> None:
        """The browser, which its driver then has nothing more to do with."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        _end(self._process)

    def _ended(self) -> str:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return f"the browser's driver ended: {said[-1] if said else 'it said nothing'}"


class Tab:
    """A page of Firefox."""

    def __init__(self, firefox: Firefox) -> None:
        self._firefox = firefox
        self._complaints: list[str] = []

    def call(self, script: str, argument: object, *, doing: str, seconds: float) -> Any:
        """What a function in JavaScript returns, or its promise. Raises PageFailed."""
        return self.ask("call", {"script": script, "argument": argument}, doing, seconds)

    def check(self, doing: str) -> None:
        """Raises PageFailed where something was complained of since it was last looked."""
        time.sleep(0.05)
        self.call("() => null", None, doing=doing, seconds=SECONDS_TO_LOAD)

    def ask(self, what: str, asked: object, doing: str, seconds: float) -> Any:
        """The value of an answer. Raises PageFailed."""
        try:
            answer = self._firefox.say(what, asked, seconds)
        except PageFailed as error:
            raise PageFailed(f"while {doing}: {error}") from error
        heard = list(answer["heard"])
        if "error" in answer:
            raise PageFailed("; ".join([f"while {doing}: {answer['error']}", *heard]))
        pages.refuse(heard, doing)
        return answer.get("value")


def _driver(workspace: Workspace) -> Path:
    """The driver with its packages, fetched once."""
    source = resource("web", "tools")
    key = digest_of(*((source / name).read_bytes() for name in FILES))
    return workspace.cached("firefox-driver", key, _install)


def _install(home: Path) -> None:
    for name in FILES:
        shutil.copyfile(resource("web", "tools", name), home / name)
    command = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    ran = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = (ran.stderr.strip() or ran.stdout.strip() or "no reason given").splitlines()
        raise NotRun(
            f"npm could not fetch Firefox's driver: {said[-1]}",
            hint="check the network and npm's registry: npm ping",
        )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotRun(
            f"Firefox is driven from Node.js, and {name} was not found",
            hint="install it (Debian: apt-get install nodejs npm)",
        )
    return found


def _read(out: IO[bytes], said: queue.Queue[dict[str, Any] | None]) -> None:
    """Every line of the driver, and None at its end."""
    with out:
        for line in out:
            said.put(json.loads(line))
    said.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """By the end of its input, so that it closes the browser; by force where it does not."""
    assert process.stdin
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(SECONDS_TO_CLOSE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
