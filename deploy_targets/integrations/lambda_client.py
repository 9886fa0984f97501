"""The client that runs inside the sandbox, beside the emulator, by the sandbox's own interpreter.

It starts the emulator given on its command line, then forwards: a frame on standard input is an
event (its length as `REQUEST`, its bytes), a frame on standard output the answer (`REPLY`, its
bytes). The first frame out, of status 0, says that the emulator listens. What the emulator and the
function print goes to standard error. Standard library only, and the syntax of Python 3.9.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time

REQUEST = struct.Struct("!I")
"""Length of the event."""
REPLY = struct.Struct("!HdQI")
"""HTTP status, seconds, most memory the function's processes held so far (bytes), length."""
ADDRESS = ("127.0.0.1", 8080)
RUNTIME_API = ("127.0.0.1", 9001)
_PATH = "/2015-03-31/functions/function/invocations"


def main(command: list[str]) -> None:
    """Runs the emulator until standard input ends."""
    emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    others = {1, os.getpid(), emulator.pid}
    try:
        wait_until_it_listens(emulator)
        send(0, 0.0, 0, b"")
        while head := sys.stdin.buffer.read(REQUEST.size):
            event = sys.stdin.buffer.read(*REQUEST.unpack(head))
            start = time.perf_counter()
            status, body = post(event)
            seconds = time.perf_counter() - start
            send(status, seconds, peak_memory(others), body)
    finally:
        emulator.kill()
        emulator.wait()


def wait_until_it_listens(emulator: subprocess.Popen[bytes]) -> None:
    while emulator.poll() is None:
        try:
            socket.create_connection(ADDRESS).close()
            return
        except OSError:
            time.sleep(0.005)
    sys.exit(f"the runtime interface emulator ended with status {emulator.returncode}")


def post(event: bytes) -> tuple[int, bytes]:
    # By hand, in HTTP/1.0, whose answers end with the connection: under emulation the import of
    # http.client alone takes a second.
    head = f"POST {_PATH} HTTP/1.0\r\nContent-Length: {len(event)}\r\n\r\n"
    with socket.create_connection(ADDRESS) as connection:
        connection.sendall(head.encode())
        connection.sendall(event)  # apart: a copy would count against the function's memory
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    headers, _, body = answer.partition(b"\r\n\r\n")
    return int(headers.split(b" ", 2)[1]), body


def send(status: int, seconds: float, peak: int, body: bytes) -> None:
    sys.stdout.buffer.write(REPLY.pack(status, seconds, peak, len(body)) + body)
    sys.stdout.buffer.flush()


def peak_memory(others: set[int]) -> int:
    """Bytes: the peaks of resident memory of all processes that are the function's, added up."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return sum(high_water_mark(pid) for pid in pids if pid not in others)


def high_water_mark(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as status:
            lines = (line.split() for line in status)
            return next((int(line[1]) << 10 for line in lines if line[0] == "VmHWM:"), 0)
    except OSError:  # it has just ended
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
