"""`python -m bench.training`: what an engine that counts is asked for, so that the compiler learns what is common.

tools/train.sh builds that engine and names it in DAEMUN_ENGINE. Every kind of traffic takes its turn: what is never asked
for would be taken for rare, and built small instead of fast. Exit status: 0 when every request was answered, else 2.
"""

import os
import sys
from collections.abc import Sequence

from bench import machine
from bench.bed import Bed, Options, answers, lay, make_certificate
from bench.errors import BenchError
from bench.load import Request, run
from bench.peers import daemun, nginx_servers
from bench.peers.running import Address
from bench.scenarios import routers, throughput

SECONDS = 1
"""A turn: some ten thousand requests, enough for counts that differ by what is asked for only."""
OPTIONS = Options(peers=("daemun",), rounds=1, seconds=SECONDS, connections=64, idle=0)
SERVERS = 20
"""Of the nginx.conf."""
FILES = {"small.txt": 4096, "large.txt": 1 << 20}

HTTP1 = [one.request for one in (throughput.SMALL, throughput.MEDIUM, throughput.CHUNKED, throughput.POST)]


def main() -> int:
    """Starts the engine on one configuration after the other and sends it what fits."""
    machine.prepare()
    try:
        with lay(OPTIONS) as bed:
            for train in (_proxy, _tls, _http2, _rules, _files, _nginx):
                train(bed)
    except BenchError as error:
        sys.stderr.write(f"training: {error}\n")
        return 2
    return 0


def _proxy(bed: Bed) -> None:
    with bed.peers() as peers:
        _ask(peers["daemun"].address, [*HTTP1, Request(close=True)])


def _tls(bed: Bed) -> None:
    with bed.peers(secure=True) as peers:
        _ask(peers["daemun"].address, [*HTTP1, throughput.HANDSHAKE.request], secure=True)


def _http2(bed: Bed) -> None:
    with bed.peers(http2=True) as peers:
        _ask(peers["daemun"].address, [throughput.HTTP2.request, Request(path="/16k", http2=True)])


def _rules(bed: Bed) -> None:
    folder = bed.subfolder("rules")
    asked = [
        *map(routers.plain, range(1000)),
        *map(routers.mixed, range(1000, 2000)),
        *map(routers.regex, range(routers.REGEXES)),
    ]
    started = daemun.start_rules(folder, [bed.origin], [one.text for one in asked])
    with started.process:
        _ask(started.address, [routers.targets(asked, folder / "targets")])


def _files(bed: Bed) -> None:
    root = bed.subfolder("files")
    for name, size in FILES.items():
        (root / name).write_bytes(os.urandom(size))
    for certificate in (None, make_certificate(bed.folder)):
        started = daemun.start_files(bed.subfolder("daemun"), root, certificate=certificate)
        with started.process:
            _ask(started.address, [Request(path=f"/{name}") for name in FILES], secure=started.secure)


def _nginx(bed: Bed) -> None:
    """Servers as a hosting provider has them; half of the requests are for files."""
    folder, address = bed.subfolder("nginx"), ("127.0.0.1", machine.free_port())
    config = nginx_servers.configuration(folder, address, bed.origin, count=SERVERS)
    hosts = [nginx_servers.host(number) for number in range(SERVERS)]
    for number in range(SERVERS):
        root = folder / f"h{number}"
        root.mkdir(exist_ok=True)
        (root / "file.txt").write_bytes(os.urandom(4096))
    targets = folder / "targets"
    targets.write_text("".join(f"{host} {path}\n" for host in hosts for path in ("/128", "/static/file.txt")))
    with nginx_servers.start_daemun(config) as process:
        process.wait_ready(lambda: answers(address, "/128", host=hosts[-1]))
        _ask(address, [Request(targets=targets)])


def _ask(address: Address, requests: Sequence[Request], *, secure: bool = False) -> None:
    for request in requests:
        run(address, request, seconds=SECONDS, connections=OPTIONS.connections, secure=secure)


if __name__ == "__main__":
    sys.exit(main())
