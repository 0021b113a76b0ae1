"""The small parts around the supervisor: the words of `proxy`, log lines, notifications, places of refusals."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest
import structlog

from daemun import logs
from daemun.certificates.gather import Gatherer
from daemun.errors import ConfigError, Place, Problem
from daemun.run.instance import state_path
from daemun.run.lowering import Lowered, look, lower_all
from daemun.run.notify import notify
from daemun.run.options import Options
from daemun.run.proxy import proxy_values
from daemun.supervisor import _origin
from daemun.traefik.configuration import TraefikConfiguration
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.static import Static


def lowered_with(static: Static, dynamic: Dynamic, data_dir: Path) -> Lowered:
    gatherer = Gatherer(data_dir=data_dir)
    return lower_all(look(TraefikConfiguration(static=static, dynamic=dynamic), gatherer=gatherer), gatherer=gatherer)


def test_proxy_is_a_traefik_configuration(tmp_path: Path) -> None:
    """The words of a command line become the values a file gives, and lower without a problem."""
    options = Options(listen=(":8080", "9090"), to=("http://a:1", ":8000", "b:2", "8001"), strategy="leastconn")
    static, dynamic = proxy_values(options)
    assert {name: point.address for name, point in static.entry_points.items()} == {"web": ":8080", "web2": ":9090"}
    service = dynamic.services["proxy@file"].value.load_balancer
    assert service is not None
    assert [server.url for server in service.servers] == [
        "http://a:1",
        "http://127.0.0.1:8000",
        "http://b:2",
        "http://127.0.0.1:8001",
    ]
    assert service.strategy == "leastconn"
    lowered = lowered_with(static, dynamic, tmp_path)
    assert not [problem for problem in lowered.problems if problem.is_error]
    assert set(json.loads(lowered.wanted.plan)["listeners"]) == {"web", "web2"}
    assert lowered.wanted.bundle.certificates == {}
    assert list(tmp_path.iterdir()) == []


def test_proxy_over_tls(tmp_path: Path) -> None:
    """Its certificates are the local authority's, for this machine or for the names that are given."""
    options = Options(listen_tls=("127.0.0.1:8443",), to=(":8000",))
    lowered = lowered_with(*proxy_values(options), tmp_path)
    assert lowered.problems == ()
    assert set(lowered.wanted.bundle.certificates) == {"local-localhost", "local-*.localhost", "local-addresses"}
    listener = json.loads(lowered.wanted.plan)["listeners"]["websecure"]
    assert listener["tls"]["default_certificate"] == "local-addresses"
    options = Options(listen_tls=("8443",), to=(":8000",), hosts=("nas",))
    lowered = lowered_with(*proxy_values(options), tmp_path)
    assert set(lowered.wanted.bundle.certificates) == {"local-nas", "traefik-default"}


@pytest.mark.parametrize(("listen", "to"), [("nonsense", ":8000"), (":8080", "ftp://a")])
def test_proxy_with_wrong_words(listen: str, to: str) -> None:
    """They are refused as in a file."""
    with pytest.raises(ConfigError, match="command line"):
        proxy_values(Options(listen=(listen,), to=(to,)))


def test_each_proxy_has_its_state() -> None:
    """Two proxies on two addresses do not meet; one on the same address does."""
    one, two = (state_path(Options(listen=(listen,), to=("x",))) for listen in (":8080", "[::1]:81"))
    assert one != two
    assert one.parent == two.parent
    assert state_path(Options(listen=(":8080",), to=("y",))) == one


def test_origin_of_a_refusal() -> None:
    """What the engine names is found again in the user's file; names may hold dots."""
    plan = json.dumps(
        {
            "routes": {
                "a@file": {"origin": {"name": "a@file", "file": "x.toml", "line": 1}},
                "a@file.b": {"origin": {"name": "a@file.b", "file": "x.toml", "line": 7}},
            },
            "slots": [],
        }
    ).encode()
    assert _origin(plan, "routes.a@file.action.proxy")["line"] == 1
    assert _origin(plan, "routes.a@file.b.action")["line"] == 7
    assert _origin(plan, "routes.none") == {}
    assert _origin(plan, "slots.3") == {}
    assert _origin(plan, "") == {}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged."""
    text = io.StringIO()
    monkeypatch.setattr(logs.LOG_FILE, "_file", text)
    return text


PROBLEM = Problem(
    severity="error",
    kind="unknown",
    message='unknown option "x"',
    place=Place(file="/etc/a b.toml", line=3, column=9),
    suggestion="y",
)


def test_json_lines(lines: io.StringIO) -> None:
    """One JSON object a line: time, level, event, then the fields."""
    logs.configure(level="info", form="json")
    logs.log_problem(PROBLEM)
    structlog.get_logger().debug("unheard")
    [line] = lines.getvalue().splitlines()
    value = json.loads(line)
    assert list(value) == ["time", "level", "event", "file", "line", "column", "suggestion"]
    assert value["time"].endswith("Z")
    assert (value["level"], value["file"], value["line"], value["column"]) == ("error", "/etc/a b.toml", 3, 9)


def test_common_lines(lines: io.StringIO) -> None:
    """The readable form keeps a place together, and one line a line."""
    logs.configure(level="warn", form="common")
    logs.log_problem(PROBLEM)
    structlog.get_logger().warning("two\nlines"[:3], value="a\nb", plain="c")
    structlog.get_logger().info("unheard")
    first, second = lines.getvalue().splitlines()
    assert first.endswith('ERR unknown option "x" at /etc/a b.toml:3:9 suggestion=y')
    assert second.endswith('WRN two value="a\\nb" plain=c')


def test_log_file(tmp_path: Path) -> None:
    """A log file is appended to, and opened again after it was moved away."""
    path = tmp_path / "daemun.log"
    try:
        logs.configure(level="info", form="common", path=str(path))
        structlog.get_logger().info("one")
        path.rename(tmp_path / "old.log")
        logs.LOG_FILE.reopen()
        structlog.get_logger().info("two")
        assert logs.LOG_FILE.descriptor is not None
    finally:
        logs.configure(level="error", form="common")
    assert (tmp_path / "old.log").read_text().endswith("INF one\n")
    assert path.read_text().endswith("INF two\n")
    assert logs.LOG_FILE.descriptor is None


def test_notify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines reach the socket as one message; nobody listening is no error."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        notify(READY=1, X_DAEMUN_APPLIED=3)
        assert listening.recv(100) == b"READY=1\nX_DAEMUN_APPLIED=3"
    notify(READY=1)
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify(READY=1)
