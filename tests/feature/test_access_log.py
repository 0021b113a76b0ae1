"""The access log: Traefik's JSON fields, on standard output and in a file, and a reader that stops."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, answering, dead
from tests.kit.plans import access_log, plan, text
from tests.kit.waiting import until

FIELDS = [
    ("ClientAddr", "client_address", "text"),
    ("ClientHost", "client_ip", "text"),
    ("ClientPort", "client_port", "text"),
    ("ClientUsername", "remote_user", "text"),
    ("DownstreamContentSize", "response_body_bytes", "number"),
    ("DownstreamStatus", "status", "number"),
    ("Duration", "duration_nanos", "number"),
    ("OriginContentSize", "upstream_response_bytes", "optional_number"),
    ("OriginDuration", "upstream_response_nanos", "optional_number"),
    ("OriginStatus", "upstream_status", "optional_number"),
    ("Overhead", "overhead_nanos", "number"),
    ("RequestAddr", "host_field", "text"),
    ("RequestContentSize", "request_body_bytes", "number"),
    ("RequestCount", "request_count", "number"),
    ("RequestHost", "host_name", "text"),
    ("RequestMethod", "method", "text"),
    ("RequestPath", "request_uri", "text"),
    ("RequestProtocol", "protocol", "text"),
    ("RequestScheme", "scheme", "text"),
    ("RetryAttempts", "retries", "number"),
    ("RouterName", "route_name", "optional_text"),
    ("ServiceAddr", "upstream_address", "optional_text"),
    ("ServiceName", "service_name", "optional_text"),
    ("ServiceURL", "upstream_url", "optional_text"),
    ("StartLocal", "start_local", "text"),
    ("StartUTC", "start_utc", "text"),
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def logging(path: Path | None, **fields: Any) -> dict[str, Any]:
    sink = {"file": {"path": str(path), "mode": 0o600}} if path else "stdout"
    return {"access": access_log(sink, FIELDS, **fields)}


def test_fields_in_a_file(tmp_path: Path) -> None:
    """One JSON object a request, its fields in the Plan's order with the right values; the file has mode 0600."""
    path = tmp_path / "access.log"
    with gate(answering(b"12345"), logs=logging(path)) as g:
        g.client.request("POST", "/a?b=c", body=b"123", host="Shop.test:81")
        (line,) = until(lambda: lines(path), what="the line")
        port = g.client.socket.getsockname()[1]
        expected = {
            "ClientAddr": f"127.0.0.1:{port}",
            "ClientHost": "127.0.0.1",
            "ClientPort": str(port),
            "DownstreamContentSize": 5,
            "DownstreamStatus": 200,
            "OriginContentSize": 5,
            "OriginStatus": 200,
            "RequestAddr": "Shop.test:81",
            "RequestContentSize": 3,
            "RequestCount": 1,
            "RequestHost": "Shop.test",
            "RequestMethod": "POST",
            "RequestPath": "/a?b=c",
            "RequestProtocol": "HTTP/1.1",
            "RequestScheme": "http",
            "RetryAttempts": 0,
            "RouterName": "app@test",
            "ServiceAddr": g.origin.address,
            "ServiceName": "app@test",
            "ServiceURL": f"http://{g.origin.address}",
        }
        assert {name: line[name] for name in expected} == expected
        assert list(line) == [name for name, _, _ in FIELDS]
        assert 0 < line["OriginDuration"] <= line["Duration"]
        assert 0 <= line["Overhead"] <= line["Duration"]
        assert line["StartUTC"].endswith("Z")
        assert path.stat().st_mode & 0o777 == 0o600


def test_standard_output() -> None:
    """The sink `stdout` is the engine's standard output, one line each, in order."""
    with gate(logs=logging(None)) as g:
        for number in range(20):
            g.client.request("GET", f"/{number}")
        until(lambda: g.engine.stdout.count("\n") == 20, what="twenty lines")
        told = [json.loads(line) for line in g.engine.stdout.splitlines()]
        assert [t["RequestPath"] for t in told] == [f"/{number}" for number in range(20)]
        assert [t["RequestCount"] for t in told] == list(range(1, 21))


def test_refused_and_failed_requests_are_logged(tmp_path: Path) -> None:
    """What the engine answers itself stands in the log too, with its own status and without a service it never reached."""
    path = tmp_path / "access.log"
    with dead() as address, Engine(plan(address, logs=logging(path))) as engine:
        with engine.client() as client:
            client.request()
        with engine.client() as client:
            client.send(b"GET /bad HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
            client.read_response()
        until(lambda: len(lines(path)) == 2, what="two lines")
        told = lines(path)
        assert [t["DownstreamStatus"] for t in told] == [502, 400]
        assert "OriginStatus" not in told[0]
        assert "OriginStatus" not in told[1]


def test_client_that_left_is_499(tmp_path: Path) -> None:
    """The log says 499 for a client that went away (COMPAT.md)."""
    path = tmp_path / "access.log"

    def thinking(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    with gate(thinking, logs=logging(path)) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: g.origin.requests, what="the request")
        g.client.reset()
        (line,) = until(lambda: lines(path), what="the line")
        assert line["DownstreamStatus"] == 499


def test_values_are_escaped(tmp_path: Path) -> None:
    """Quotes, backslashes and bytes that are no UTF-8 leave every line valid JSON."""
    path = tmp_path / "access.log"
    logs = logging(path)
    logs["access"]["format"]["json"].append({"name": "Agent", "value": [{"header": "user-agent"}], "kind": "text"})
    with gate(logs=logs) as g:
        g.client.send('GET /a"b\\c HTTP/1.1\r\nHost: a\r\nUser-Agent: "q\\ \xe9\t.\r\n\r\n'.encode("latin-1"))
        g.client.read_response()
        (line,) = until(lambda: lines(path), what="the line")
        assert line["Agent"].startswith('"q\\ ')


def test_text_format(tmp_path: Path) -> None:
    """A line of text; an empty value is `-`, quotes are escaped as nginx does."""
    path = tmp_path / "access.log"
    line = [
        {"variable": "client_ip"},
        *text(" - "),
        {"variable": "remote_user"},
        *text(' "'),
        {"variable": "request_line"},
        *text('" '),
        {"variable": "status"},
        *text(" "),
        {"variable": "response_body_bytes"},
        *text(' "'),
        {"header": "referer"},
        *text('"'),
    ]
    logs = logging(path)
    logs["access"]["format"] = {"text": {"line": line, "escape": "default"}}
    with gate(answering(b"12345"), logs=logs) as g:
        g.client.request("GET", "/x", 'Referer: a"b\\c')
        g.client.request("GET", "/y")
        until(lambda: path.exists() and path.read_text().count("\n") == 2, what="two lines")
        assert path.read_text() == (
            '127.0.0.1 - - "GET /x HTTP/1.1" 200 5 "a\\x22b\\x5Cc"\n127.0.0.1 - - "GET /y HTTP/1.1" 200 5 "-"\n'
        )


def test_filter_by_status(tmp_path: Path) -> None:
    """With `statuses` only lines within the ranges are kept."""
    path = tmp_path / "access.log"
    logs = logging(path)
    logs["access"]["filter"]["statuses"] = [[500, 599]]
    with (
        dead() as address,
        Engine(plan(address, logs=logs, rules=[{"match": {"path": "/x"}, "route": "app"}])) as engine,
    ):
        with engine.client() as client:
            assert client.request("GET", "/y").status == 404
            assert client.request("GET", "/x").status == 502
        (line,) = until(lambda: lines(path), what="the line")
        assert line["DownstreamStatus"] == 502


def test_reopen(tmp_path: Path) -> None:
    """After `reopen_logs` lines go to a new file under the old name; none is lost."""
    path = tmp_path / "access.log"
    with gate(logs=logging(path)) as g:
        g.client.request("GET", "/1")
        until(lambda: len(lines(path)) == 1, what="the first line")
        path.rename(tmp_path / "access.log.1")
        with g.engine.control() as control:
            control.call("reopen_logs")
        g.client.request("GET", "/2")
        (line,) = until(lambda: lines(path), what="the second line")
        assert line["RequestPath"] == "/2"


def test_lines_are_written_before_the_end(tmp_path: Path) -> None:
    """On SIGTERM every line of what was answered is written."""
    path = tmp_path / "access.log"
    with gate(logs=logging(path)) as g:
        for _ in range(500):
            assert g.client.request().status == 200
        g.engine.terminate()
        assert g.engine.wait() == 0
        assert len(lines(path)) == 500


def test_reader_that_stops() -> None:
    """A pipe that nobody reads delays no request; lines beyond the queue are dropped, counted and told; then it goes on."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with (
            Origin(answering(b"ok")) as origin,
            Engine(plan(origin.address, logs=logging(None, queue_lines=100)), stdout=writing) as engine,
        ):
            os.close(writing)
            writing = -1
            with engine.client(limit=5) as client, engine.control() as control:
                slowest = 0.0
                for _ in range(2_000):
                    start = time.monotonic()
                    assert client.request().status == 200
                    slowest = max(slowest, time.monotonic() - start)
                assert slowest < 2
                dropped = until(lambda: control.call("stats")["log_dropped"], what="dropped lines to be counted")
                assert dropped > 1_000
                # The reader comes back: what was kept is whole, and new lines follow.
                with os.fdopen(reading, "rb", closefd=False) as pipe:
                    client.request("GET", "/last")
                    told = 0
                    while True:
                        line = json.loads(pipe.readline())
                        told += 1
                        if line["RequestPath"] == "/last":
                            break
                        if told % 50 == 0:
                            client.request("GET", "/last")
                assert told < 2_000
                assert control.event("log_dropped")["lines"] > 0
                until(lambda: any("drop" in line for line in engine.log_lines), what="the log to say so")
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def test_fifo_without_a_reader(tmp_path: Path) -> None:
    """A FIFO as log file: nobody waits for its reader, neither at the start nor later; a reader that comes gets lines."""
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    with gate(answering(b"ok"), logs=logging(fifo)) as g:
        assert g.client.request().status == 200
        with open(fifo, "rb") as reader:
            assert json.loads(reader.readline())["DownstreamStatus"] == 200


def test_end_with_a_stuck_reader() -> None:
    """SIGTERM ends the engine in time although nobody reads its log."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with (
            Origin(answering(b"ok")) as origin,
            Engine(plan(origin.address, logs=logging(None)), stdout=writing) as engine,
        ):
            with engine.client() as client:
                for _ in range(200):
                    assert client.request().status == 200
            engine.terminate()
            assert engine.wait() == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_sink_that_cannot_be_opened(tmp_path: Path) -> None:
    """A log file that cannot be opened: the Plan is refused and the old one stays."""
    with gate() as g:
        with pytest.raises(Refused):
            g.engine.apply(plan(g.origin.address, logs=logging(tmp_path / "missing" / "access.log")))
        assert g.client.request().status == 200
