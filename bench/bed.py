"""The test bed: the origin, the peers that were asked for, and the probe that shows they do the same task."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.errors import BenchError, InvalidRun
from bench.peers.catalogue import PEERS
from bench.peers.running import Address, Certificate, Running
from bench.process import Process, until, which

ORIGIN = Path(__file__).with_name("origin")
FORWARDED = {
    "x-real-ip": "127.0.0.1",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "{scheme}",
    "x-forwarded-host": "{host}:{port}",
    "x-forwarded-port": "{port}",
}
"""What every peer must tell the origin; `probe` compares the values."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How thorough a run is."""

    peers: Sequence[str]
    rounds: int
    seconds: int
    connections: int
    idle: int


@dataclass(frozen=True, kw_only=True)
class Bed:
    """Where scenarios run: a folder of their own, an origin that answers, and the options."""

    options: Options
    folder: Path
    origin: Address

    @contextlib.contextmanager
    def peers(
        self,
        names: Sequence[str] | None = None,
        *,
        secure: bool = False,
        http2: bool = False,
        floor: bool = False,
        certificate: Certificate | None = None,
    ) -> Iterator[dict[str, Running]]:
        """Starts the peers that do it, one after the other, each probed; ends them all at the end.

        `secure`: over TLS, with `certificate` or one made here; `http2`: HTTP/2 in clear text; `floor`: what is no
        proxy stands beside them.
        """
        with contextlib.ExitStack() as stack:
            if secure and certificate is None:
                certificate = make_certificate(self.folder)
            running: dict[str, Running] = {}
            for name in self.options.peers if names is None else names:
                of = PEERS[name]
                folder = self.subfolder(name)
                if http2 and of.http2 is not None:
                    peer, ask = of.http2(self.origin, folder), probe_http2
                elif not http2 and (of.secure if secure else of.plain) and (floor or not of.floor):
                    peer, ask = of.start(self.origin, folder, certificate), probe_floor if of.floor else probe
                else:
                    continue
                stack.enter_context(peer.process)
                ask(peer)
                running[name] = peer
            yield running

    def subfolder(self, name: str) -> Path:
        """A new folder inside the bed's own."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def stats(self) -> dict[str, int]:
        """The origin's own count of connections and requests."""
        _, body = get(self.origin, "/stats")
        counts: dict[str, int] = json.loads(body)
        return counts


@contextlib.contextmanager
def lay(options: Options) -> Iterator[Bed]:
    """Builds and starts the origin; everything it and the peers write stands in one temporary folder."""
    binary = build_origin()
    with (
        tempfile.TemporaryDirectory(prefix="daemun-bench-") as folder,
        Process("origin", [str(binary)], core=machine.LOAD_CORE) as process,
    ):
        process.wait_ready(lambda: "\n" in process.output())
        host, _, port = process.output().split()[1].rpartition(":")
        yield Bed(options=options, folder=Path(folder), origin=(host, int(port)))


def build_origin() -> Path:
    """Builds bench/origin; a second time costs nothing."""
    command = [which("cargo"), "build", "--release", "--locked", "--quiet"]
    result = subprocess.run(command, cwd=ORIGIN, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"the origin does not build:\n{result.stderr}")
    return ORIGIN / "target" / "release" / "bench-origin"


def make_certificate(folder: Path, *, key: str = "ec") -> Certificate:
    """A self-signed one for 127.0.0.1; `key` as openssl's -newkey wants it, ECDSA being P-256."""
    name = key.replace(":", "-")
    chain, private, both = (folder / f"{name}.{ending}" for ending in ("crt", "key", "pem"))
    command = [which("openssl"), "req", "-x509", "-newkey", key, "-nodes"]
    if key == "ec":
        command += ["-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-keyout", str(private), "-out", str(chain), "-days", "2", "-subj", "/CN=bench"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"openssl makes no certificate:\n{result.stderr}")
    both.write_bytes(chain.read_bytes() + private.read_bytes())
    return Certificate(chain=chain, key=private, both=both)


def unverified() -> ssl.SSLContext:
    """A client's context that takes any certificate: what the peers show is ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def tls_version(address: Address) -> str | None:
    """What a handshake comes to, such as TLSv1.3."""
    with socket.create_connection(address, timeout=10) as plain, unverified().wrap_socket(plain) as secure:
        return secure.version()


def get(address: Address, path: str, *, host: str | None = None, secure: bool = False) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    if secure:
        connection = http.client.HTTPSConnection(*address, timeout=10, context=unverified())
    try:
        connection.request("GET", path, headers={} if host is None else {"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(address: Address, path: str, *, host: str | None = None, secure: bool = False) -> bool:
    """Whether the path is answered with 200 now."""
    try:
        return get(address, path, host=host, secure=secure)[0] == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def probe(peer: Running) -> None:
    """Waits for the first 200, then compares the forwarded headers that reach the origin; raises InvalidRun."""
    until(lambda: answers(peer.address, "/headers", secure=peer.secure), what=f"{peer.name} answering")
    _, body = get(peer.address, "/headers", secure=peer.secure)
    lines = [line.partition(":") for line in body.decode().splitlines()[1:]]
    seen = {name.lower(): value.strip() for name, _, value in lines}
    if peer.secure and (spoken := tls_version(peer.address)) != "TLSv1.3":
        raise InvalidRun(f"{peer.name} speaks {spoken}")
    host, port = peer.address
    for name, template in FORWARDED.items():
        expected = template.format(host=host, port=port, scheme="https" if peer.secure else "http")
        if seen.get(name) != expected:
            raise InvalidRun(f"{peer.name} sends {name}: {seen.get(name)!r}, not {expected!r}:\n{body.decode()}")


def probe_floor(peer: Running) -> None:
    """Waits for the first 200."""
    until(lambda: answers(peer.address, "/headers"), what=f"{peer.name} answering")


def probe_http2(peer: Running) -> None:
    """The same over HTTP/2, by nghttp; h2o forwards less and is asked for less."""
    command = [which("nghttp"), "http://{}:{}/headers".format(*peer.address)]

    def asked() -> str:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout

    until(lambda: "GET /headers" in asked(), what=f"{peer.name} answering over HTTP/2")
    said = asked().lower()
    wanted = ("x-forwarded-for", "x-forwarded-proto") if not PEERS[peer.name].plain else FORWARDED
    missing = [name for name in wanted if f"{name}:" not in said]
    if missing:
        raise InvalidRun(f"{peer.name} does not send {', '.join(missing)}:\n{said}")
