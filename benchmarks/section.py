"""The part of a page that a benchmark writes: a second-level heading and what is below it."""

from __future__ import annotations

import re


def replaced(page: str, heading: str, body: str) -> str:
    """The page with this section in place of that heading's; at its end, where it has none."""
    section = f"## {heading}\n\n{body.strip()}\n"
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    for at, part in enumerate(parts):
        if part.startswith(f"## {heading}\n"):
            parts[at] = section + "\n" * (at + 1 < len(parts))
            return "".join(parts)
    return f"{page.rstrip()}\n\n{section}"
