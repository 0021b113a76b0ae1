"""Every variable of the catalogue, seen through the access log: what it is for a proxied request, and that it is bounded.

The names are read from the Plan's own types, so a new variable without an expectation here fails.
"""

from __future__ import annotations

import json
import os
import platform
import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.origin import Origin, answering
from tests.kit.plans import access_log, plan, replaced, route, text, variable
from tests.kit.secured import AUTHORITY, secured
from tests.kit.waiting import until

CATALOGUE = Path(__file__).resolve().parents[2] / "engine/crates/plan/src/template.rs"
NANOS = r"[1-9]\d*"
MONTHS = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"


def names() -> list[str]:
    """The catalogue, as the Plan writes it."""
    body = CATALOGUE.read_text().split("pub enum Variable {")[1].split("\n}")[0]
    found = re.findall(r"^    ([A-Z]\w*),", body, re.MULTILINE)
    return [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in found]


def logged(whole: dict[str, Any]) -> dict[str, Any]:
    """The Plan with a log of every variable, each as text."""
    log = access_log("stdout", [(name, name, "text") for name in names()])
    for place in (whole["hosts"]["host"], whole["routes"]["app"]):
        place["logs"] = ["all"]
    return {**whole, "logs": {"all": log}}


def line(engine: Engine) -> dict[str, str]:
    until(lambda: engine.stdout.endswith("\n"), what="the line")
    said: dict[str, str] = json.loads(engine.stdout.splitlines()[-1])
    return said


def test_every_variable_of_a_proxied_request() -> None:
    """What each variable is when all phases have passed."""
    with Origin(answering(b"hello")) as origin, Engine(logged(plan(origin.address))) as engine:
        with engine.client() as client:
            host, port = client.socket.getsockname()
            request = b"POST /a%2Fb/c?x=1&y HTTP/1.1\r\nHost: Example.ORG:81\r\nX-Forwarded-For: 9.9.9.9\r\nContent-Length: 3\r\n\r\n"
            client.send(request + b"abc")
            assert client.read_response().status == 200
        said = line(engine)
        expected: dict[str, str] = {
            "client_ip": host,
            "client_port": str(port),
            "client_address": f"{host}:{port}",
            "peer_ip": host,
            "peer_port": str(port),
            "server_ip": "127.0.0.1",
            "server_port": str(engine.tcp()[1]),
            "listener_id": "web",
            "connection_id": NANOS,
            "connection_requests": "1",
            "pipelined": r"\.",
            "tls_version": "",
            "tls_cipher": "",
            "tls_server_name": "",
            "tls_alpn": "",
            "tls_group": "",
            "tls_resumed": "",
            "hostname": re.escape(platform.node()),
            "process_id": str(engine.pid),
            "scheme": "http",
            "https": "",
            "port_suffix": f":{engine.tcp()[1]}",
            "request_id": "[0-9a-f]{32}",
            "method": "POST",
            "request_target": re.escape("/a%2Fb/c?x=1&y"),
            "request_uri": re.escape("/a%2Fb/c?x=1&y"),
            "request_line": re.escape("POST /a%2Fb/c?x=1&y HTTP/1.1"),
            "path": re.escape("/a%2Fb/c"),
            "path_extension": "",
            "query": re.escape("x=1&y"),
            "query_mark": r"\?",
            "protocol": "HTTP/1.1",
            "http2": "",
            "host_field": "Example.ORG:81",
            "host": "example.org",
            "host_name": "Example.ORG",
            "host_or_address": "example.org",
            "request_length": "3",
            # The untrusted peer's own words are gone; what went upstream was appended to.
            "proxy_add_forwarded_for": f"({host}, )*{host}",
            "remote_user": "",
            "request_body": "abc",
            "server_name": "",
            "route_name": "app@test",
            "service_name": "app@test",
            "proxy_host": "app",
            "proxy_port": "80",
            "upstream_address": origin.address,
            "upstream_addresses": origin.address,
            "upstream_url": f"http://{origin.address}",
            "upstream_status": "200",
            "upstream_statuses": "200",
            "upstream_connect_nanos": NANOS,
            "upstream_header_nanos": NANOS,
            "upstream_response_nanos": NANOS,
            "upstream_connect_seconds": r"\d+\.\d{3}",
            "upstream_header_seconds": r"\d+\.\d{3}",
            "upstream_response_seconds": r"\d+\.\d{3}",
            "upstream_response_bytes": "5",
            "upstream_received_bytes": str(len(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") + 5),
            "upstream_sent_bytes": str(len(origin.received)),
            "retries": "",
            "status": "200",
            "response_body_bytes": "5",
            "response_bytes": NANOS,
            "request_body_bytes": "3",
            "request_bytes": str(len(request)),
            "start_utc": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
            "start_local": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
            "time_common": rf"\d\d/{MONTHS}/\d{{4}}:\d\d:\d\d:\d\d [+-]\d{{4}}",
            "time_iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
            "time_msec": r"\d{10}\.\d{3}",
            "duration_nanos": NANOS,
            "duration_millis": r"\d+",
            "duration_seconds": r"\d+\.\d{3}",
            "overhead_nanos": r"\d+",
            "request_count": "1",
            "fault": "",
        }
        assert sorted(expected) == sorted(names())
        wrong = {n: said[n] for n, pattern in expected.items() if not re.fullmatch(pattern, said[n])}
        assert not wrong
        assert int(said["upstream_header_nanos"]) <= int(said["duration_nanos"])
        assert int(said["upstream_response_nanos"]) <= int(said["duration_nanos"])
        assert int(said["overhead_nanos"]) <= int(said["duration_nanos"])


def test_variables_of_a_failed_request() -> None:
    """The fault is said, and what never happened is empty."""
    gone = Origin()
    gone.close()
    with Engine(logged(plan(gone.address))) as engine, engine.client() as client:
        assert client.request().status == 502
        said = line(engine)
        assert said["fault"]
        assert said["status"] == "502"
        assert said["upstream_address"] == gone.address
        assert said["upstream_status"] == said["upstream_header_nanos"] == said["upstream_response_bytes"] == ""


def test_variables_before_their_phase_are_empty() -> None:
    """An answer of the engine's own, made before there is a response: those of later phases are empty; it knows its own status."""
    later = ["upstream_status", "upstream_address", "upstream_url", "retries", "fault", "proxy_host"]
    names = [*later, "status"]
    headers = [{"name": f"X-{name}", "value": [{"literal": "<"}, *variable(name), {"literal": ">"}]} for name in names]
    action = {"respond": {"status": 200, "headers": headers, "body": text("ok")}}
    with Engine(plan(routes={"app": route(action)})) as engine, engine.client() as client:
        for _ in range(2):
            response = client.request()
            assert {name: response.get(f"X-{name}") for name in later} == dict.fromkeys(later, "<>")
            assert response.get("X-status") == "<200>"


def test_variables_of_a_secure_connection() -> None:
    """What was agreed upon, over HTTP/1 and HTTP/2, and whether the session was resumed."""
    names = ["scheme", "https", "http2", "tls_version", "tls_cipher", "tls_server_name", "tls_alpn", "tls_group"]
    parts = [part for name in [*names, "tls_resumed"] for part in (*variable(name), *text("|"))]
    routes = {"app": route({"respond": {"status": 200, "headers": [], "body": parts}})}
    context = AUTHORITY.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with secured("exact", routes=routes) as (engine, _):
        said: list[list[str]] = []
        session: ssl.SSLSession | None = None
        for _ in range(2):
            with engine.tls_client(context, session=session) as client:
                said.append(client.request().text.split("|"))
                session = client.tls.session
    cipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    for one, resumed in zip(said, ("", "1"), strict=True):
        assert one[:6] == ["https", "on", "", "1.2", cipher, "example.org"]
        assert one[6] == ""
        assert (one[7] != "", one[8]) == (resumed == "", resumed)


@pytest.mark.parametrize("escape", ["default", "json", "common"])
def test_control_characters_keep_to_their_line(escape: str) -> None:
    """What a client sends cannot begin a line of the log."""
    pattern = {"regex": "(?s)^/(.*)$", "dialect": "pcre", "ignore_case": False, "slot": 0}
    whole = plan(rules=[{"match": {"path_regex": pattern}, "route": "app"}])
    whole = replaced(whole, "http.policy.path.form", "decoded")
    log = access_log("stdout", [])
    log["format"] = {"text": {"line": [*variable("path"), *text(" end")], "escape": escape}}
    whole["routes"]["app"] = route({"respond": {"status": 200, "headers": [], "body": []}}, logs=["all"])
    whole = {**whole, "logs": {"all": log}, "slots": ["rest"]}
    with Engine(whole) as engine, engine.client() as client:
        assert client.request("GET", "/%0a%0d%1b%22%5c").status == 200
        until(lambda: engine.stdout.endswith("end\n"), what="the line")
        assert engine.stdout.count("\n") == 1
        assert os.linesep not in engine.stdout.rstrip("\n")
        assert "\x1b" not in engine.stdout
