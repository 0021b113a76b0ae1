"""The test bed: the origin, the peers that were asked for, and the probe that shows they do the same task."""

import contextlib
import http.client
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.errors import BenchError, InvalidRun
from bench.peers.catalogue import PEERS
from bench.peers.running import Address, Running
from bench.process import Process, until, which

ORIGIN = Path(__file__).with_name("origin")
FORWARDED = {
    "x-real-ip": "127.0.0.1",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
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
    def peers(self, names: Sequence[str] | None = None) -> Iterator[dict[str, Running]]:
        """Starts the peers one after the other, each probed; ends them all at the end."""
        with contextlib.ExitStack() as stack:
            running: dict[str, Running] = {}
            for name in self.options.peers if names is None else names:
                peer = PEERS[name].start(self.origin, self.subfolder(name))
                stack.enter_context(peer.process)
                probe(peer)
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


def get(address: Address, path: str, *, host: str | None = None) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request("GET", path, headers={} if host is None else {"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(address: Address, path: str, *, host: str | None = None) -> bool:
    """Whether the path is answered with 200 now."""
    try:
        return get(address, path, host=host)[0] == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def probe(peer: Running) -> None:
    """Waits for the first 200, then compares the forwarded headers that reach the origin; raises InvalidRun."""
    until(lambda: answers(peer.address, "/headers"), what=f"{peer.name} answering")
    _, body = get(peer.address, "/headers")
    lines = [line.partition(":") for line in body.decode().splitlines()[1:]]
    seen = {name.lower(): value.strip() for name, _, value in lines}
    host, port = peer.address
    for name, template in FORWARDED.items():
        expected = template.format(host=host, port=port)
        if seen.get(name) != expected:
            raise InvalidRun(f"{peer.name} sends {name}: {seen.get(name)!r}, not {expected!r}:\n{body.decode()}")
