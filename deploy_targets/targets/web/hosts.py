"""What the files for hosts are filled with. All say what headers.py says, each in its own language.

In: the folders whose names have a hash in them. Out: what templates are given, and those files that
are JSON. A host that is configured in text is a template in templates/web/hosts and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy_targets.targets.web import headers

TEMPLATES = ("_headers", "hosts/htaccess", "hosts/nginx.conf")
SENT = ("index.html", "harness.html", "sw.js", "model.mjs", "model.json")
"""Names without a hash that a page fetches, and that are known when the others are written."""
SHORT = (
    *SENT,
    *("model.d.mts", "package.json", "README.md", "LICENSE", "THIRD-PARTY-LICENSES"),
    *("deploy-target.json", "golden.safetensors", "parity.json"),
)
"""Names without a hash that somebody may fetch; "/" is index.html."""
HASHED = r"(?:code\.[0-9a-f]{12}|runtime\.[0-9a-f]{12}|assets)/"
"""A regular expression for the beginning of every path that may be kept for ever."""


def given(long: Sequence[str]) -> dict[str, Any]:
    """For templates: the headers of all files, what is kept, and under which names."""
    return {
        "all": headers.ALL,
        "forever": headers.FOREVER,
        "ask_again": headers.ASK_AGAIN,
        "types": headers.TYPES,
        "short": SHORT,
        "long": list(long),
        "hashed": HASHED,
    }


def written(given: Mapping[str, Any]) -> dict[str, Any]:
    """The files that are JSON."""
    return {"hosts/vercel.json": _vercel(given), "hosts/firebase.json": _firebase(given)}


def _vercel(given: Mapping[str, Any]) -> dict[str, Any]:
    hashed = given["hashed"].removesuffix("/")
    return {
        "headers": [
            {"source": "/(.*)", "headers": _listed(given["all"])},
            {"source": f"/({hashed})/(.*)", "headers": _cached(given["forever"])},
            {"source": f"/((?!{hashed}/).*)", "headers": _cached(given["ask_again"])},
        ]
    }


def _firebase(given: Mapping[str, Any]) -> dict[str, Any]:
    short, long = "|".join(given["short"]), "|".join(given["long"])
    return {
        "hosting": {
            "public": ".",
            "ignore": ["firebase.json", "hosts/**", "_headers", "**/*.br", "**/*.gz"],
            "headers": [
                {"source": "**", "headers": _listed(given["all"])},
                {"source": f"/@({long})/**", "headers": _cached(given["forever"])},
                {"source": f"/@({short})", "headers": _cached(given["ask_again"])},
                {"source": "/", "headers": _cached(given["ask_again"])},
            ],
        }
    }


def _cached(value: str) -> list[dict[str, str]]:
    return _listed({"Cache-Control": value})


def _listed(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in values.items()]
