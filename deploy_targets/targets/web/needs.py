"""The host tools of the web target, for `doctor`."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from deploy_targets.errors import DeployError
from deploy_targets.integrations import chromium, firefox
from deploy_targets.needs import Need, package

NODE = "install Node.js 18 or newer, with npm (Debian: apt-get install nodejs npm)"


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        _program("node", "checks that the browser's runtime has every operator of a model"),
        _program("npm", "fetches the browser's runtime"),
        package("playwright", "drives Chromium", "web"),
        package("aiohttp", "serves a bundle on a local port", "web"),
        package("brotli", "compresses what a site sends", "web"),
        _browser("Chromium", chromium.find, "runs web bundles for verify"),
        _browser("Firefox", firefox.find, 'runs them a second time, with "firefox" in browsers'),
    )


def _program(name: str, purpose: str) -> Need:
    return Need(name, shutil.which(name), purpose, NODE)


def _browser(name: str, find: Callable[[], str], purpose: str) -> Need:
    try:
        found, hint = find(), ""
    except DeployError as error:
        found, hint = "", error.hint
    return Need(name, found or None, purpose, hint)
