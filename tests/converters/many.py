"""Exports several models in one child process: importing PyTorch costs more than they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy_targets.converters import onnx_from_torch
from deploy_targets.errors import DeployError


def export_many(jobs: list[dict[str, Any]]) -> list[str]:
    """Runs `onnx_from_torch.export` for each; answers "" or what went wrong."""
    return [_export(job) for job in jobs]


def _export(job: dict[str, Any]) -> str:
    Path(job["folder"]).mkdir(parents=True)
    try:
        onnx_from_torch.export(**job)
    except DeployError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}"
    return ""
