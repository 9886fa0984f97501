"""Core ML is asked on Apple's systems: why no lane is run here, and what to run there instead.

In: a bundle and a lane. Out: NotRun, whose hint is the command that writes the recording; `verify
--actual` judges it by the same rules as any other runtime's answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from deploy_targets.errors import NotRun
from deploy_targets.phones import naming
from deploy_targets.records import Bundle
from deploy_targets.runtime import Runner, Session

RECORDING = "recording-cpu.safetensors"
"""What the programs of a bundle call the answers of the processor that everybody has."""
RECORDED: Mapping[str, str] = {
    "ios": "xcodebuild test -scheme {package}-Package "
    "-destination 'platform=iOS Simulator,name=iPhone 16'",
    "macos": "swift run deploy-target-run golden.safetensors {recording} cpu",
}
"""Lane -> what writes its recording, run on a Mac in a copy of the folder."""


@contextmanager
def started() -> Iterator[Runner]:
    """A runner that nothing is needed for."""
    yield Elsewhere()


class Elsewhere:
    """Asks nothing, and says who can be asked."""

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        """Raises NotRun."""
        raise NotRun(
            "Core ML is a part of Apple's systems, so the package was converted and checked here, "
            "and not run",
            hint=f"on a Mac, in a copy of the folder: {command(bundle.manifest.name, lane)}; then, "
            f"anywhere: deploy-target verify BUNDLE --actual {RECORDING}",
        )


def command(name: str, lane: str) -> str:
    """What writes the recording of that lane for the model of that name."""
    return RECORDED[lane].format(package=naming.package(name), recording=RECORDING)
