"""What every browser promises: pages that are asked by JavaScript and overheard meanwhile.

`chromium.py` and `firefox.py` keep it. A page that complains, hangs or crashes fails whatever it
was asked; nobody has to remember to look.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

LISTEN = """
addEventListener("securitypolicyviolation", (event) => console.error(
  `the Content Security Policy (${event.effectiveDirective}) was violated by ` +
  `${event.blockedURI || "code"} in ${event.sourceFile || "the page"}`));
"""
"""Run in each page before anything else: not every browser says on its console what it blocked."""
LEAST_STATUS = 400
"""Answers of a server from here on say that something was not to be had."""


class PageFailed(Exception):
    """The page complained, hung or crashed. Says what it was doing."""


class Page(Protocol):
    """One page in a context of its own: nothing is shared with any other."""

    def call(self, script: str, argument: object, *, doing: str, seconds: float) -> Any:
        """What a function in JavaScript returns (or its promise), as JSON.

        Raises PageFailed: it threw, it took longer, the page crashed, or something was complained
        of meanwhile.
        """

    def check(self, doing: str) -> None:
        """Raises PageFailed where something was complained of since it was last looked."""


class Browser(Protocol):
    """A started browser; it outlives its pages."""

    @property
    def name(self) -> str:
        """With its version."""

    @property
    def alive(self) -> bool:
        """Whether it can still open pages."""

    def page(self, url: str) -> AbstractContextManager[Page]:
        """A page that has loaded. Raises PageFailed."""


def refuse(complaints: list[str], doing: str) -> None:
    """Raises PageFailed with all complaints, each said once, and forgets them."""
    if complaints:
        said = "; ".join(dict.fromkeys(complaints))
        complaints.clear()
        raise PageFailed(f"while {doing} the page complained: {said}")
