"""One trained model in; for each place it must run, an artifact proven to answer as it does.

    import deploy_targets

    outcome = deploy_targets.build("deploy.toml", target="lambda", out="build/lambda")
    report = deploy_targets.verify("build/lambda")

The functions are imported when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Outcome": "deploy_targets.pipeline",
    "answers": "deploy_targets.api",
    "build": "deploy_targets.api",
    "explain": "deploy_targets.explaining.explain",
    "load": "deploy_targets.api",
    "verify": "deploy_targets.api",
}

__all__ = ["Outcome", "__version__", "answers", "build", "explain", "load", "verify"]

if TYPE_CHECKING:
    from deploy_targets.api import answers, build, load, verify
    from deploy_targets.explaining.explain import explain
    from deploy_targets.pipeline import Outcome


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
