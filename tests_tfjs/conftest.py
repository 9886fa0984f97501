"""These need TensorFlow: the first makes the toolchain, which takes a minute or more and 1.6 GB."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
