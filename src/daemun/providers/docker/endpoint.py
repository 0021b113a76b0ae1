"""The way to a Docker engine: a stream of bytes over a Unix socket, TCP, TLS, or ssh.

    unix:///var/run/docker.sock   tcp://host:2376 (TLS where `tls` stands)   ssh://user@host

Facts: `ssh` is what the docker command does: on the other side `docker system dial-stdio` joins its own standard streams
to the engine's socket, so that keys, agents and ~/.ssh/config are ssh's business. Where a file is named a PEM text may
stand. Decisions: an engine whose machine vanished is noticed by TCP's keep-alive within a minute; ssh never asks.
Nothing is spoken here (client.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult

from daemun.errors import ProviderError
from daemun.needs import is_pem
from daemun.traefik.docker_options import ClientTls, DockerOptions, split_endpoint
from daemun.traefik.read import beside_static

_CONNECT_LIMIT = 30.0
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 3}
_SSH = ("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15")
_LONGEST_COMPLAINT = 4096
_LINE = 1 << 20  # of what StreamReader holds before it stops reading


@dataclass(slots=True, kw_only=True)
class Stream:
    """Bytes to and from an engine. `host` is what the Host field says."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: str
    process: asyncio.subprocess.Process | None = None
    complaints: asyncio.Task[bytes] | None = None

    async def close(self) -> None:
        """End it, at once."""
        self.writer.close()
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            if self.complaints is not None:
                self.complaints.cancel()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def why(self) -> str:
        """Return what ssh said of a connection that ended, if anything."""
        if self.complaints is None:
            return ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                return (await self.complaints).decode(errors="replace").strip()
        return ""


async def open_stream(options: DockerOptions, *, beside: Path | None) -> Stream:
    """Connect; relative names of files are also looked for beside the static file. Raises ProviderError."""
    parts = split_endpoint(options.endpoint)
    try:
        async with asyncio.timeout(options.http_client_timeout or _CONNECT_LIMIT):
            if parts.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(parts.path, limit=_LINE)
                return Stream(reader=reader, writer=writer, host="docker")
            if parts.scheme == "ssh":
                return await _open_ssh(parts)
            return await _open_tcp(parts, options.tls, beside)
    except TimeoutError:
        raise ProviderError("it does not answer in time") from None
    except OSError as error:
        raise ProviderError(error.strerror or str(error)) from None


async def _open_tcp(parts: SplitResult, tls: ClientTls | None, beside: Path | None) -> Stream:
    secured = tls is not None or parts.scheme == "https"
    context = await asyncio.to_thread(client_context, tls or ClientTls(), beside) if secured else None
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port, ssl=context, server_hostname=parts.hostname if secured else None, limit=_LINE
    )
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return Stream(reader=reader, writer=writer, host=parts.netloc.rpartition("@")[2])


def client_context(tls: ClientTls, beside: Path | None) -> ssl.SSLContext:
    """Return the terms of a handshake. Raises ProviderError, which never shows what a key says."""
    context = ssl.create_default_context()
    try:
        if tls.ca:
            context = ssl.create_default_context(cadata=_pem(tls.ca, beside))
        if tls.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if tls.cert or tls.key:
            with _file(tls.cert, beside) as certificate, _file(tls.key, beside) as key:
                context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise ProviderError(f"its tls.ca, tls.cert or tls.key cannot be used: {error.reason or error}") from None
    except OSError as error:
        raise ProviderError(f"cannot read {error.filename}: {error.strerror}") from None
    return context


def _pem(text: str, beside: Path | None) -> str:
    return text if is_pem(text) else beside_static(text, beside).read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def _file(text: str, beside: Path | None) -> Iterator[str]:
    """Name a file with this content: OpenSSL takes a key from a file only. A text never touches a disk."""
    if not is_pem(text):
        yield str(beside_static(text, beside))
        return
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


async def _open_ssh(parts: SplitResult) -> Stream:
    try:
        process = await asyncio.create_subprocess_exec(
            *ssh_command(parts),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE,
            start_new_session=True,  # Ctrl-C is for us
        )
    except FileNotFoundError:
        raise ProviderError("there is no program `ssh` on the PATH") from None
    reader, writer, errors = process.stdout, process.stdin, process.stderr
    if reader is None or writer is None or errors is None:
        raise AssertionError(process)  # they are pipes
    complaints = asyncio.create_task(_complaints(errors), name="ssh's complaints")
    return Stream(reader=reader, writer=writer, host="docker", process=process, complaints=complaints)


def ssh_command(parts: SplitResult) -> list[str]:
    """Return the command that leads to the engine of an ssh endpoint; a path is the socket over there."""
    command = [*_SSH]
    if parts.username:
        command += ["-l", parts.username]
    if parts.port:
        command += ["-p", str(parts.port)]
    host = ["--host", f"unix://{parts.path}"] if parts.path.strip("/") else []
    return [*command, "--", parts.hostname or "", shlex.join(["docker", *host, "system", "dial-stdio"])]


async def _complaints(errors: asyncio.StreamReader) -> bytes:
    """Return the end of what was complained about, once that ends."""
    said = b""
    while chunk := await errors.read(_LONGEST_COMPLAINT):
        said = (said + chunk)[-_LONGEST_COMPLAINT:]
    return said
