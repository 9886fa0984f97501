"""A web bundle on a loopback port, with the headers that it asks its host to send."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deploy_targets.integrations import static_site


def serve(bundle: Path, port: int, ready: Callable[[str], object]) -> None:
    """Serves until interrupted; tells `ready` the URL. Raises ConfigError, ToolMissing."""
    with static_site.serving(bundle, port) as site:
        ready(site.url.rstrip("/"))
        static_site.wait()
