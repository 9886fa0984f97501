"""A function for the emulator's tests: it does what its event says. Runs in the sandbox."""

# ruff: noqa: T201 - what a function prints is its log

import contextlib
import errno
import glob
import os
import platform
import socket
import sys
import time

print("this is Init")
if "FAIL_AT_IMPORT" in os.environ:
    raise RuntimeError("the model is corrupt")
_answered = 0
_held = []


def handler(event, context):
    global _answered
    _answered += 1
    do = event.get("do", "count")
    return globals()[do](**{key: value for key, value in event.items() if key != "do"})


def count():
    return _answered


def errno_of_writing(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def errno_of_reserving(path, megabytes):
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, megabytes << 20)
        except OSError as error:
            return errno.errorcode[error.errno]
        finally:
            os.unlink(path)
    return None


def errno_of_connecting(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return None


def machine():
    with open("/proc/cpuinfo") as cpuinfo:
        processor = cpuinfo.read()
    return {
        "uid": os.getuid(),
        "home": os.path.expanduser("~"),
        "root": sorted(os.listdir("/")),
        "shm_writable": os.access("/dev/shm", os.W_OK),
        "libraries": sorted(
            os.path.basename(path) for path in glob.glob("/lib/**/*.so*", recursive=True)
        ),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpuinfo": processor,
        "path": sys.path,
        "prefix": sys.prefix,
        "packages": [name for path in sys.path for name in names(path) if "site-packages" in path],
        "modules": [importable(name) for name in ("ssl", "sqlite3", "lzma", "ctypes", "pip")],
    }


def names(path):
    with contextlib.suppress(OSError):
        return os.listdir(path)
    return []


def importable(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def environment():
    return dict(os.environ)


def hold(megabytes):
    _held.append(b"x" * (megabytes << 20))
    return len(_held)


def burn(seconds):
    wall, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        pass
    return (time.process_time() - used) / (time.perf_counter() - wall)


def sleep(seconds):
    time.sleep(seconds)


def fail(message):
    raise ValueError(message)


def crash():
    print("the last thing it said", flush=True)
    os.abort()


def say(bytes):
    return "x" * bytes


def length(text):
    return len(text)


def print_much(lines):
    for number in range(lines):
        print(f"line {number} " + "." * 80)
