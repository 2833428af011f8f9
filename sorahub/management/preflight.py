"""What must hold before anything is installed or started; in plain Python, so that an old one can say that it is."""

import os
import socket
import sys

OLDEST = (3, 11)


def old_python():
    """A sentence if this Python is too old, else None."""
    if sys.version_info < OLDEST:
        mine, oldest = sys.version.split()[0], ".".join(map(str, OLDEST))
        return f"sorahub needs Python {oldest} or newer, and this is {mine}. Name another: make demo PYTHON=python3.12"


def busy_port(port):
    """A sentence if nothing can listen on 127.0.0.1:`port`, else None."""
    if not (str(port).isdigit() and 0 < int(port) < 65536):
        return f"PORT is {port!r}, and must be a number from 1 to 65535."
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(port)))
    except OSError as error:
        reason = os.strerror(error.errno).lower()
        return f"Port {port} of 127.0.0.1 can't be used: {reason}. Choose another one: make demo PORT=8001"
    finally:
        probe.close()


if __name__ == "__main__":
    sentence = old_python() or (busy_port(sys.argv[1]) if sys.argv[1:] else None)
    if sentence:
        sys.exit(sentence)
