"""/predict's answer in words: JSON, or a mask as a picture where Accept asks for one."""

from __future__ import annotations

import json

import numpy as np

from serving import media
from serving.messages import Request, Response
from serving.refusals import Refused
from serving.steps import Steps


def form_of(request: Request, steps: Steps) -> str:
    """The content type to answer with. Raises Refused (406)."""
    asked = media.wanted(request)
    if media.PNG in asked and steps.drawn:
        return media.PNG
    if asked & {media.JSON, "application/*", "*/*"}:
        return media.JSON
    raise Refused(406, f"this answer can be {media.JSON}{f' or {media.PNG}' * steps.drawn}")


def write(form: str, steps: Steps, tensors: dict[str, np.ndarray], frame: dict) -> Response:
    """The answer, in that form."""
    from serving.stages import words

    if form == media.PNG:
        return Response(200, {"content-type": form}, words.picture(steps.host, tensors))
    said = words.say(steps.host, tensors, frame, steps.single)
    text = json.dumps(said, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Response(200, {"content-type": form}, text.encode())
