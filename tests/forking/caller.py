"""Has a command run by the process that forks for it, and ends with its exit code: ``python -IS caller.py SOCKET …``.

It imports next to nothing: this is what a shell starts in place of the command.
"""

import json
import os
import socket
import sys


def call(place: str, arguments: list[str], cwd: str, environment: dict[str, str], *streams: int) -> int:
    """Return the end of a pipe from which the exit code will come; ``streams`` are stdin, stdout and stderr."""
    request = json.dumps({"arguments": arguments, "cwd": cwd, "env": environment}).encode("ascii")
    asked = os.memfd_create("asked")
    ended, theirs = os.pipe()
    try:
        os.write(asked, request)
        os.lseek(asked, 0, os.SEEK_SET)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(place)
            socket.send_fds(connection, [b"?"], [asked, *streams, theirs])
    except BaseException:
        os.close(ended)
        raise
    finally:
        os.close(theirs)
        os.close(asked)
    return ended


if __name__ == "__main__":
    code = os.read(call(sys.argv[1], sys.argv[2:], os.getcwd(), dict(os.environ), 0, 1, 2), 16)  # noqa: PTH109  # not even pathlib
    os._exit(int(code) & 255 if code else 255)
