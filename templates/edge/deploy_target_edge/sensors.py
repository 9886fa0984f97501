"""Power and temperature while something runs: INA sensors in sysfs, and tegrastats where it is.

Watts of the sensors are those of the rails that the kernel names; a board without any says nothing.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import threading
import time

from . import device

SENSORS = ("/sys/bus/i2c/drivers/ina3221*/*/hwmon/hwmon*", "/sys/class/hwmon/hwmon*")
_RAIL = re.compile(r"(\w+) (\d+)mW/(\d+)mW")


class Watch:
    """Reads the sensors each `every` seconds, from `with` to its end."""

    def __init__(self, every=0.2, patterns=SENSORS):
        self._every, self._patterns = every, patterns
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.watts, self.hottest = {}, {}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()

    def said(self):
        """Rail -> mean watts, and zone -> highest degrees Celsius; empty where nothing says."""
        mean = {rail: sum(found) / len(found) for rail, found in self.watts.items()}
        return {"watts": mean, "celsius": dict(self.hottest)}

    def _look(self):
        while not self._done.is_set():
            for rail, watts in rails(self._patterns).items():
                self.watts.setdefault(rail, []).append(watts)
            for zone, degrees in device.temperatures().items():
                self.hottest[zone] = max(degrees, self.hottest.get(zone, degrees))
            self._done.wait(self._every)


def rails(patterns=SENSORS):
    """Rail -> watts now, of every INA sensor: millivolts times milliamperes."""
    found = {}
    for home in sorted({path for pattern in patterns for path in glob.glob(pattern)}):
        for file in sorted(glob.glob(os.path.join(home, "curr*_input"))):
            number = re.search(r"curr(\d+)_input$", file).group(1)
            amperes, volts = _number(file), _number(os.path.join(home, f"in{number}_input"))
            if amperes is not None and volts is not None:
                label = _text(os.path.join(home, f"in{number}_label")) or f"rail {number}"
                found[label] = amperes * volts / 1e6
    return found


def tegrastats(seconds=1.0):
    """Rail -> watts as NVIDIA's own tool prints them; empty where it is not to be had."""
    program = shutil.which("tegrastats")
    if program is None:
        return {}
    try:
        running = subprocess.Popen(
            [program, "--interval", "200"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return {}
    time.sleep(seconds)
    running.terminate()
    text = running.communicate()[0].decode("utf-8", "replace")
    return parsed(text)


def parsed(text):
    """Rail -> watts of the last line: "VDD_IN 4985mW/4985mW" is 4.985."""
    lines = [line for line in text.splitlines() if _RAIL.search(line)]
    return {rail: int(now) / 1e3 for rail, now, _ in _RAIL.findall(lines[-1])} if lines else {}


def _number(path):
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


def _text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""
