"""CPU time a proxied request, by kind of request: `small`, `medium`, `chunked`, `post`, `https`, `handshake`, `http2`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bed import Bed
from bench.load import Request
from bench.measure import by_peer, notes, rounds
from bench.outcome import Outcome, Verdict, ratios
from bench.peers import relay

CHEAPER = {"nginx": 0.95, "haproxy": 0.85, "caddy": 0.2}
LIKE_NGINX = {"nginx": 1.05}
FLOOR = relay.PEER.name


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """One kind of request and what Daemun may cost beside each peer."""

    name: str
    title: str
    request: Request
    bounds: Mapping[str, float]
    secure: bool = False
    http2: bool = False

    def run(self, bed: Bed) -> Outcome:
        """Measures every peer in interleaved rounds."""
        with bed.peers(secure=self.secure, http2=self.http2, floor=True) as peers:
            samples = rounds(bed, peers, dict.fromkeys(peers, self.request))
        rows = by_peer(samples, list(peers))
        floor = _floor(rows, self.bounds)
        return Outcome(
            scenario=self.name,
            title=self.title,
            unit="µs CPU/request",
            rows=rows,
            verdicts=[*ratios(rows, self.bounds), *floor],
            notes=[*notes(samples), *_below_floor(floor, self.bounds)],
            details=[one.as_json() for one in samples],
        )


def _floor(rows: Mapping[str, Sequence[float]], bounds: Mapping[str, float]) -> list[Verdict]:
    """The floor beside the peers that set a bound."""
    return ratios({name: values for name, values in rows.items() if name == FLOOR or name in bounds}, {}, of=FLOOR)


def _below_floor(floor: Sequence[Verdict], bounds: Mapping[str, float]) -> list[str]:
    """What must be said of a bound that nothing on this machine could keep."""
    return [
        f"{figure.label} is {figure.median:.3g}: the bound of {bounds[peer]:g} against {peer} is below the floor here"
        for figure in floor
        if figure.median > bounds[peer := figure.label.rpartition(" ")[2]]
    ]


SMALL = Throughput(
    name="small",
    title="GET, 128 B answer",
    request=Request(path="/128", least_bytes=128),
    bounds=CHEAPER,
)
MEDIUM = Throughput(
    name="medium",
    title="GET, 16 KB answer",
    request=Request(path="/16k", least_bytes=16_384),
    bounds=CHEAPER,
)
CHUNKED = Throughput(
    name="chunked",
    title="GET, chunked answer in 4 chunks of 256 B",
    request=Request(path="/chunked", least_bytes=1024),
    bounds=LIKE_NGINX,
)
POST = Throughput(
    name="post",
    title="POST of 1 KB, 128 B answer",
    request=Request(path="/echo-size", method="POST", least_bytes=128),
    bounds=LIKE_NGINX,
)
HTTPS = Throughput(
    name="https",
    title="GET, 128 B answer, TLS 1.3 keep-alive",
    request=Request(path="/128", least_bytes=128),
    bounds={"nginx": 0.75},
    secure=True,
)
HANDSHAKE = Throughput(
    name="handshake",
    title="A full TLS 1.3 handshake (ECDSA P-256, X25519) and one GET",
    request=Request(path="/128", least_bytes=128, close=True),
    bounds={"nginx": 1.0, "haproxy": 1.0},
    secure=True,
)
HTTP2 = Throughput(
    name="http2",
    title="GET, 128 B answer, HTTP/2 in clear text, 16 connections of 32 streams",
    request=Request(path="/128", least_bytes=128, http2=True),
    bounds={"h2o": 0.95, "nginx": 0.6},
    http2=True,
)
