"""A proxy that runs, and what it takes to start one from a template."""

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.process import Process

Address = tuple[str, int]

HERE = Path(__file__).parent
CLIENT_IDLE = 300
"""Seconds a peer keeps an idle client connection: longer than any scenario takes."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Files of a certificate and its key; `both` is one file of the two, as HAProxy wants it."""

    chain: Path
    key: Path
    both: Path


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started proxy: where it listens and which process it is; `secure`: it speaks TLS there."""

    name: str
    address: Address
    process: Process
    secure: bool = False


@dataclass(frozen=True, kw_only=True)
class Peer:
    """How to start one proxy in front of an origin, with `folder` for its files; all raise Unavailable.

    With a certificate it speaks TLS, HTTP/1.1 by ALPN, and otherwise does the same.
    """

    name: str
    version: Callable[[], str]
    start: Callable[[Address, Path, Certificate | None], Running]
    http2: Callable[[Address, Path], Running] | None = None
    """For clients that speak HTTP/2 in clear text with prior knowledge; None for a peer that is not measured so."""
    plain: bool = True
    """It is measured for HTTP/1.1 in clear text."""
    secure: bool = False
    """It is measured over TLS."""
    floor: bool = False
    """It does less than a proxy must, and stands in the report only to show what nobody can go below."""


def fill(template: str, folder: Path, values: Mapping[str, object]) -> Path:
    """Writes a template with its `@{name}` places filled into `folder`; returns the file."""

    class Places(string.Template):
        delimiter = "@"  # `$` belongs to nginx

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / template
    target.write_text(Places((HERE / template).read_text()).substitute(values))
    return target


def launch(
    name: str,
    command: Sequence[str],
    address: Address,
    *,
    env: Mapping[str, str] | None = None,
    secure: bool = False,
) -> Running:
    """Starts a proxy on its core and waits until it accepts a connection."""
    process = Process(name, command, core=machine.PROXY_CORE, env=env)
    try:
        process.wait_ready(lambda: machine.accepts(address))
    except BaseException:
        process.stop()
        raise
    return Running(name=name, address=address, process=process, secure=secure)
