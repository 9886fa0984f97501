"""Writes openapi.json and docs.html for the lean flavor: `python describe.py model.json FOLDER`.

Runs where the artifact is built, in an interpreter that has FastAPI; it is no part of the artifact.
The pages are those that the FastAPI flavor makes from the same model.json, byte for byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def describe(model_json: Path, folder: Path) -> None:
    """Writes both pages into `folder`."""
    sys.path[:0] = [str(HERE), str(HERE / "flavors" / "fastapi")]
    from contract import application, pages
    from serving.model import describe as read

    async def never(_: object) -> None:
        raise AssertionError("only described here")

    made = pages(application(read(str(model_json)), never))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_bytes(made["openapi"]())
    (folder / "docs.html").write_bytes(made["docs"]())


if __name__ == "__main__":
    describe(Path(sys.argv[1]), Path(sys.argv[2]))
