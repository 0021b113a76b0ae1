"""Access logs, their formats, and the error log."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.log_formats import ErrorLog, access_logs, error_log
from daemun.plan.log import Escape, File, Stdout, Text
from daemun.plan.plan import from_json
from daemun.plan.script import Truthy
from daemun.plan.template import Literal, LookupPart
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def test_without_a_word_there_is_the_combined_log() -> None:
    """As in every golden Plan."""
    made = parts("server { }")
    assert access_logs(made.at("server"), made.making) == ("access",)
    assert made.making.logs == from_json((GOLDEN / "map.json").read_bytes()).logs


def test_a_level_has_its_own_logs_or_those_above() -> None:
    """Several at once; `off` ends them."""
    made = parts(
        """
        access_log /var/log/a.log;
        server {
            location / { }
            location /b { access_log /dev/stdout; access_log b.log combined buffer=32k flush=5m; }
            location /c { access_log off; }
        }
        """
    )
    server = made.at("server")
    assert access_logs(made.at("server", "location /"), made.making) == ("/var/log/a.log combined",)
    assert access_logs(server, made.making) == ("/var/log/a.log combined",)
    names = access_logs(made.at("server", "location /b"), made.making)
    assert [made.making.logs[name].sink for name in names] == [Stdout(), File(path="b.log", mode=0o644)]
    assert access_logs(made.at("server", "location /c"), made.making) == ()
    assert made.said == []


def test_relative_paths_are_under_the_prefix() -> None:
    """nginx's `-p`."""
    made = parts("access_log logs/x.log;")
    made.making.prefix = "/srv/nginx/"
    (name,) = access_logs(made.http, made.making)
    assert made.making.logs[name].sink == File(path="/srv/nginx/logs/x.log", mode=0o644)


def test_formats_are_joined_and_escaped() -> None:
    """`escape=` stands first; names have no case."""
    made = parts(
        """
        log_format Line escape=json '{"a":"$host"' ',"t":$request_time}';
        access_log x.log line;
        """
    )
    (name,) = access_logs(made.http, made.making)
    assert made.making.logs[name].format == Text(
        line=(
            Literal('{"a":"'),
            Variable.HOST,
            Literal('","t":'),
            Variable.DURATION_SECONDS,
            Literal("}"),
        ),
        escape=Escape.JSON,
    )


def test_a_condition() -> None:
    """`if=` with a map, the documented way to leave lines out."""
    made = parts("map $status $loggable { ~^2 0; default 1; } access_log x.log combined if=$loggable;")
    (name,) = access_logs(made.http, made.making)
    assert made.making.logs[name].when == Truthy((LookupPart(table="loggable", key=(Variable.STATUS,)),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("access_log a.log lost;", 'reference: unknown log format "lost"'),
        ("access_log syslog:server=10.0.0.1;", "not_yet: logging to syslog is not served by this version"),
        ("access_log a-$host.log;", "not_yet: variables in the name of a log are not served by this version"),
        ("access_log a.log combined gzip=9;", "not_yet: compressed logs are not served by this version"),
        ("access_log a.log combined bufer=1k;", 'value: invalid parameter "bufer=1k"'),
        ("access_log a.log combined flush=5s;", 'value: no buffer is defined for access_log "a.log"'),
        ("access_log off combined;", 'value: invalid parameter "combined"'),
        ("log_format x escape=jsn a; access_log a.log x;", 'value: unknown log format escaping "jsn"'),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    made = parts(text)
    access_logs(made.http, made.making)
    assert made.said == [f"1 error {said}"]


def errors(text: str) -> tuple[ErrorLog, Parts]:
    made = parts(text)
    return error_log(made.http, made.making), made


def test_the_error_log() -> None:
    """logs/error.log at `error` unless said; `stderr` is standard error."""
    assert errors("")[0] == ErrorLog(path="logs/error.log", level="error")
    assert errors("error_log /x warn;")[0] == ErrorLog(path="/x", level="warn")
    assert errors("error_log stderr;")[0] == ErrorLog(path="", level="error")
    assert errors("error_log /x wran;")[1].making.problems[0].suggestion == "warn"
    assert errors("error_log syslog:server=a;")[1].said[0].startswith("1 error not_yet")
