"""What of the Android and iOS projects is of one runtime alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kit:
    """A target's part in the projects.

    `mobile/APP/runtimes/NAME/` holds the files of a runtime, which are laid over those of the
    app; `templates/phones/runtimes/NAME.swift` its part of Package.swift; `templates/TARGET/` the
    README.
    """

    target: str
    """ "tflite" """
    model: str
    """The artifact's name at the bundle's root: a file, or a folder."""
    runtimes: dict[str, str]
    """App ("android", "ios") -> the runtime whose files it gets; an app that is not here is not
    made."""
