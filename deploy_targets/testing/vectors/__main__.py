"""`python -m deploy_targets.testing.vectors FOLDER` writes the test vectors."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy_targets.testing.vectors import write

if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    sys.exit("usage: python -m deploy_targets.testing.vectors FOLDER")
files = write(Path(sys.argv[1]))
total = sum(file.stat().st_size for file in files)
sys.stdout.write(f"{len(files)} files, {total:,} bytes, in {sys.argv[1]}\n")
