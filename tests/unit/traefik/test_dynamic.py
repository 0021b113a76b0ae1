"""The dynamic configuration: entry by entry, file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.errors import ConfigError, Problem
from daemun.traefik.dynamic import LoadBalancer, Server
from daemun.traefik.read import load_dynamic, load_dynamic_text
from daemun.traefik.rules import Match

GOOD = """
[http.routers.web]
rule = "Host(`a`)"
service = "api"
entryPoints = ["one"]
priority = -3
[http.services.api.loadBalancer]
strategy = "LeastConn"
passHostHeader = false
responseForwarding.flushInterval = "-1ms"
[[http.services.api.loadBalancer.servers]]
url = "http://127.0.0.1:8001"
weight = 3
[[http.services.api.loadBalancer.servers]]
url = "unix:///run/app.sock"
"""


def messages(problems: list[Problem]) -> str:
    return "\n".join(problem.message for problem in problems)


def test_a_whole_file() -> None:
    """Routers, their parsed rules, services and where they stand."""
    dynamic, problems = load_dynamic_text(GOOD, file="d.toml")
    assert problems == []
    web = dynamic.routers["web@file"]
    assert (web.value.priority, web.value.entry_points, web.line) == (-3, ("one",), 2)
    assert dynamic.rules["web@file"] == Match("Host", ("a",))
    balancer = dynamic.services["api@file"].value.load_balancer
    assert balancer is not None
    assert (balancer.strategy, balancer.pass_host_header) == ("leastconn", False)
    assert balancer.response_forwarding.flush_interval == pytest.approx(-0.001)
    assert [server.weight for server in balancer.servers] == [3, 1]


def test_defaults_are_traefiks() -> None:
    """Weighted round robin, the client's Host, 100 ms between flushes."""
    balancer = LoadBalancer(servers=(Server(url="http://a"),))
    assert (balancer.strategy, balancer.pass_host_header) == ("wrr", True)
    assert balancer.response_forwarding.flush_interval == pytest.approx(0.1)
    assert balancer.servers[0].weight == 1


def test_one_bad_router_does_not_stop_the_others() -> None:
    """Each entry stands or falls by itself, and the fallen are remembered; a router without a rule is still checked."""
    text = GOOD + '[http.routers.bad]\nrule = "Hots(`a`)"\nservice = "api"\n[http.services.bad]\nloadBalancr = 1\n'
    dynamic, problems = load_dynamic_text(text, file="d.toml")
    assert set(dynamic.routers) == {"web@file", "bad@file"}
    assert set(dynamic.rules) == {"web@file"}
    assert dynamic.broken == {("router", "bad@file"), ("service", "bad@file")}
    assert len(problems) == 2


def test_a_broken_routers_rule_is_checked_too() -> None:
    """All errors at once: another fault does not hide the rule's."""
    _, problems = load_dynamic_text("http: {routers: {r: {rule: Hots(`a`), servce: s}}}", file="d.yml")
    assert {problem.kind for problem in problems} == {"unknown", "rule"}


@pytest.mark.parametrize(
    ("text", "words", "severity"),
    [
        ("tcp: {}", "not yet: tcp", "warning"),
        ("http: {models: {}}", "not yet: models", "warning"),
        ("tls: {certificate: []}", "unknown option 'certificate'", "error"),
        ("tls: {certificates: {}}", "must be a list of pairs", "error"),
        ("tls: {certificates: [{certFile: a}]}", "keyFile is missing", "error"),
        ("tls: {options: {a: {sniStrict: maybe}}}", "expected true or false", "error"),
        ("tls: {options: {a: {clientAuth: {clientAuthType: Some}}}}", "expected noclientcert", "error"),
        ("entryPoints: {}", "does not belong here", "error"),
        ("htp: {}", "unknown option 'htp'", "error"),
        ("http: {router: {}}", "unknown option 'router'", "error"),
        ("http: {routers: [1]}", "must be a table of names", "error"),
        ("http: {routers: {a: 1}}", "expected a table of options", "error"),
        ("http:", "has no value", "warning"),
        ("http: {routers: {a: }}", "has no value", "warning"),
        ("http: {routers: {a: {rule: Host(`a`), service: s, tls: {option: x}}}}", "unknown option 'option'", "error"),
        ("http: {routers: {a: {rule: Host(`a`), service: s, ruleSyntax: v2}}}", "not yet: ruleSyntax", "warning"),
        ("http: {routers: {a: {rule: Host(`a`), priority: 9223372036854775807}}}", "at most", "error"),
        ("http: {routers: {a: {service: s}}}", "rule is missing", "error"),
        ("http: {routers: {a@b: {rule: Host(`a`), service: s}}}", "cannot contain @", "error"),
        ("http: {services: {a: {mirroring: {}}}}", "not yet: mirroring", "warning"),
        ("http: {services: {a: {loadBalancer: {sticky: {}}}}}", "not yet: sticky", "warning"),
        ("http: {services: {a: {loadBalancer: {servers: [{url: a}]}}}}", "has no scheme", "error"),
        ("http: {services: {a: {loadBalancer: {servers: [{url: 'http://a', weight: -1}]}}}}", "at least 0", "error"),
        ("# {{ no }}\nhttp: {routers: {a: {rule: 'Host(`{{env}}`)', service: s}}}", "Go templates", "warning"),
    ],
)
def test_what_is_said(text: str, words: str, severity: str) -> None:
    """Each kind of fault is said in its words, with its weight."""
    _, problems = load_dynamic_text(text, file="d.yml")
    [problem] = [one for one in problems if words in one.message]
    assert problem.severity == severity
    assert problem.place is not None


def test_several_files_add_up(tmp_path: Path) -> None:
    """Two files make one configuration, whatever their syntax."""
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.yml").write_text("http: {routers: {more: {rule: Host(`b`), service: api}}}")
    dynamic, problems = load_dynamic([tmp_path / "a.toml", tmp_path / "b.yml"])
    assert problems == []
    assert set(dynamic.routers) == {"web@file", "more@file"}


def test_a_name_in_two_files_is_an_error_with_both_places(tmp_path: Path) -> None:
    """The first keeps the name, as in Traefik; both places are named."""
    (tmp_path / "a.yml").write_text("http: {routers: {x: {rule: Host(`a`), service: s}}}")
    (tmp_path / "b.yml").write_text("http: {routers: {x: {rule: Host(`b`), service: s}}}")
    dynamic, [problem] = load_dynamic([tmp_path / "a.yml", tmp_path / "b.yml"])
    assert dynamic.rules["x@file"] == Match("Host", ("a",))
    assert problem.kind == "duplicate"
    assert str(problem.place) == f"{tmp_path}/b.yml:1:18"
    assert [str(place) for place in problem.related] == [f"{tmp_path}/a.yml:1:18"]


def test_a_file_that_does_not_parse_changes_nothing(tmp_path: Path) -> None:
    """ConfigError, holding what is wrong in every file."""
    (tmp_path / "a.toml").write_text("x = \n")
    (tmp_path / "b.yml").write_text("htp: {}")
    with pytest.raises(ConfigError) as caught:
        load_dynamic([tmp_path / "a.toml", tmp_path / "b.yml"])
    assert [problem.kind for problem in caught.value.problems] == ["syntax", "unknown"]


def test_equal_files_are_equal() -> None:
    """Configurations compare by what they say, not by where it stands."""
    assert load_dynamic_text(GOOD, file="d.toml")[0] == load_dynamic_text("\n# moved\n" + GOOD, file="e.toml")[0]
