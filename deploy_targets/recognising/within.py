"""Whether a model does in itself already what --transform names, so that it would be done twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deploy_targets.errors import ConfigError
from deploy_targets.recognising import recognise
from deploy_targets.recognising.named import Named
from deploy_targets.runtime import Model


def refuse(model: Model, named: Mapping[str, Named]) -> None:
    """Raises ConfigError where a scikit-learn Pipeline begins with the very same."""
    tables = [found.table for step in _first(model) if (found := recognise(step))]
    for one in named.values():
        if one.found.table in tables:
            raise ConfigError(
                f"the model begins with {one.found.what} that is just {one.source}: its inputs "
                "would be changed twice",
                hint="leave out --transform; what is in the model travels with it",
            )


def _first(model: Model) -> Iterator[Any]:
    """Each of the Pipeline's steps but the last, and all of them as one."""
    pipeline = getattr(model, "estimator", None)
    if type(pipeline).__name__ == "Pipeline" and len(getattr(pipeline, "steps", ())) > 1:
        assert pipeline is not None
        yield from (step for _, step in pipeline.steps[:-1])
        yield pipeline[:-1]
