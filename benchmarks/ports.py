"""Ports of 127.0.0.1 for the servers that benchmarks start."""

import socket


def free_port() -> int:
    """One that nothing listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
