"""What `daemun check` says of the way to an engine, without going it."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.providers.docker.check import docker_problems
from daemun.traefik.check import check
from daemun.traefik.read import load_static
from tests.kit.authority import Authority


def said(text: str, *, beside: Path | None = None) -> list[tuple[str, str, int]]:
    """Severity, message and line of each problem."""
    static = load_static(text, file="t.toml")[0]
    problems = docker_problems(static, beside=beside)
    return [(one.severity, one.message, one.place.line if one.place else 0) for one in problems]


def test_files_of_tls(tmp_path: Path) -> None:
    """A missing one is an error at its place; good ones are believed, beside the static file too."""
    text = '[providers.docker]\nendpoint = "tcp://h:1"\ntls = {ca = "ca.pem"}\n'
    message = "providers.docker: cannot read ca.pem: No such file or directory"
    assert said(text) == [("error", message, 3)]
    (tmp_path / "ca.pem").write_text(Authority().root)
    assert said(text, beside=tmp_path / "t.toml") == []
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    [(severity, broken, _)] = said(text, beside=tmp_path / "t.toml")
    assert severity == "error"
    assert "cannot be used" in broken


def test_a_socket_that_is_not_here(tmp_path: Path) -> None:
    """It may be where Daemun runs: worth knowing, not wrong."""
    text = f'[providers.docker]\nendpoint = "unix://{tmp_path}/s"\n'
    assert said(text) == [("info", f"there is no socket {tmp_path}/s here", 2)]
    (tmp_path / "s").touch()
    assert said(text) == []
    assert said("[entryPoints.web]\naddress = ':80'\n") == []


def test_no_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each engine is looked at under its own name."""
    monkeypatch.setenv("PATH", str(tmp_path))
    text = (
        f'[providers.docker]\nendpoint = "unix://{tmp_path}"\n[providers.docker.engines.west]\nendpoint = "ssh://h"\n'
    )
    assert said(text) == [("info", "there is no program `ssh` here", 4)]


def test_what_containers_define_is_not_judged(tmp_path: Path) -> None:
    """A reference to a label's service is no error; one to a provider that is not configured is."""
    (tmp_path / "d.toml").write_text(
        "[http.routers.a]\nrule = 'Path(`/`)'\nservice = 's@docker'\nmiddlewares = ['m@docker-west', 'm@nomad']\n"
    )
    static = tmp_path / "t.toml"
    static.write_text(
        f"[entryPoints.web]\naddress = ':80'\n[providers.file]\nfilename = '{tmp_path}/d.toml'\n"
        "[providers.docker.engines.west]\nendpoint = 'tcp://h:1'\n"
    )
    assert [(one.severity, one.message.partition(": ")[2]) for one in check([static])] == [
        ("warning", "the provider 'docker' has not said yet whether there is 's@docker'"),
        ("warning", "the provider 'docker-west' has not said yet whether there is 'm@docker-west'"),
        ("error", "there is no middleware 'm@nomad': no provider 'nomad' is configured"),
    ]
    assert next(one.severity for one in check([tmp_path / "d.toml"])) == "warning"
