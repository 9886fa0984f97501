"""What a board's system has: what decides which graph it reads, and in what it is asked here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """A release of a board's system. Its lock is `templates/edge/requirements/NAME.txt`."""

    name: str
    """ "jetpack6": of the lock, and of the file of requirements in the bundle."""
    said: str
    """ "JetPack 6" """
    python: str
    """Its own Python: "3.10"."""
    onnxruntime: str
    """The last one for that Python that is on PyPI, for 64-bit ARM."""
    pythons: tuple[str, ...]
    """Those that have the same ONNX Runtime elsewhere: where its own is not to be had."""
    opset: int
    """The newest operators that all of its runtimes read."""
    ir: int
    """The newest form of ONNX that they read."""
    cpu: str
    """What QEMU calls the nearest of its processors."""
    emulated: str
    """The release of Debian whose Python stands for its own in emulation."""
    tensorrt: str = ""
    """The TensorRT that comes with it; "" for a board without."""
    image: str = ""
    """A container image with what the board's system has; "" where nothing can be served in one."""

    @property
    def serves(self) -> bool:
        """Whether its Python runs the service."""
        return tuple(map(int, self.python.split("."))) >= (3, 10)
