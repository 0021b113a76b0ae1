"""Access logs: Traefik's JSON fields and its common format."""

from __future__ import annotations

from daemun.plan import log as plan
from daemun.plan.template import Header, Literal, Template, Variable
from daemun.traefik.logs import AccessLog
from daemun.traefik.lower_logs import lower_access_log
from daemun.traefik.read import load_static


def log(options: str) -> plan.AccessLog:
    static, _ = load_static(f"accessLog: {options}", file="t.yml")
    assert static.access_log is not None
    return lower_access_log(static.access_log)


def fields(options: str) -> dict[str, Template]:
    made = log(options)
    assert isinstance(made.format, plan.Json)
    return {field.name: field.value for field in made.format.fields}


def line(options: str) -> str:
    made = log(options)
    assert isinstance(made.format, plan.Text)
    shown = ""
    for part in made.format.line:
        shown += part.text if isinstance(part, Literal) else f"<{part.name if isinstance(part, Header) else part}>"
    return shown


def test_json_has_traefiks_fields_in_order() -> None:
    """The names of COMPAT.md, sorted, and what logrus adds."""
    names = list(fields("{format: json}"))
    assert names == sorted(names)
    assert {"StartUTC", "Duration", "RouterName", "ServiceURL", "ClientHost", "DownstreamStatus", "Overhead"} <= set(
        names
    )
    assert {"level", "msg", "time"} <= set(names)
    assert not any(name.startswith("request_") for name in names)


def test_fields_are_kept_and_dropped() -> None:
    """A default mode and exceptions from it, names in any case."""
    dropped = fields("{format: json, fields: {defaultMode: drop, names: {requestpath: keep}}}")
    assert set(dropped) == {"RequestPath", "level", "msg", "time"}
    assert "ClientAddr" not in fields("{format: json, fields: {names: {ClientAddr: drop}}}")


def test_headers_by_name() -> None:
    """A header is kept or redacted by name, of the request and of both responses."""
    found = fields("{format: json, fields: {headers: {names: {User-Agent: keep, Cookie: redact, X: drop}}}}")
    assert found["request_User-Agent"] == (Header("user-agent"),)
    assert found["request_Cookie"] == (Literal("REDACTED"),)
    assert {"origin_User-Agent", "downstream_User-Agent"} <= set(found)
    assert "request_X" not in found


def test_query_can_be_dropped() -> None:
    """The query may be left out of RequestPath."""
    assert fields("{format: json}")["RequestPath"] == (Variable.REQUEST_URI,)
    assert fields("{format: json, fields: {queryParameters: {defaultMode: drop}}}")["RequestPath"] == (Variable.PATH,)


def test_common_format() -> None:
    """Traefik's line; referer and agent are hidden unless kept, as all headers are."""
    assert line("{}") == (
        '<client_ip> - - [<time_common>] "<method> <request_uri> <protocol>" <status> <response_body_bytes> "-" "-" '
        '<request_count> "<route_name>" "<upstream_url>" <duration_millis>ms'
    )
    kept = line("{fields: {headers: {defaultMode: keep}}}")
    assert '"<referer>" "<user-agent>"' in kept


def test_generic_clf() -> None:
    """The generic format ends with the agent."""
    assert line("{format: genericCLF}").endswith('"-" "-"')


def test_sink_and_filter() -> None:
    """A file or standard output; ranges, duration, retries; a queue so that nobody waits."""
    assert lower_access_log(AccessLog()).sink == plan.Stdout()
    made = log("{filePath: /x, filters: {statusCodes: ['404', 500-599], minDuration: 10ms, retryAttempts: true}}")
    assert made.sink == plan.File(path="/x", mode=0o644)
    assert made.filter == plan.LogFilter(statuses=((404, 404), (500, 599)), min_duration_ms=10, retried=True)
    assert made.queue_lines >= 1000
