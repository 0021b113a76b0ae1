"""The access log to the Plan: Traefik's JSON fields, its common format, the generic CLF.

Facts (Traefik v3.7): JSON keys stand in alphabetical order, durations are nanoseconds, fields named in
`fields.names` are kept or dropped, headers are dropped unless kept by name, the query is kept. Decisions:
lines wait in a bounded queue (Traefik writes at once by default), so that a stuck reader delays no request.
RequestPort is the listening port. The control plane's own log is not made here.
"""

from __future__ import annotations

from daemun.plan import log as plan
from daemun.plan.log import Field, FieldKind
from daemun.plan.template import Header, Literal, ResponseHeader, Template, UpstreamHeader, Variable
from daemun.traefik.logs import AccessLog, AccessLogFields
from daemun.traefik.lower_listeners import millis

_QUEUE_LINES = 16_384
_FILE_MODE = 0o644
_TEXT, _OPTIONAL = FieldKind.TEXT, FieldKind.OPTIONAL_TEXT
_NUMBER, _OPTIONAL_NUMBER = FieldKind.NUMBER, FieldKind.OPTIONAL_NUMBER
_PATH = (Variable.REQUEST_URI,)
_CORE: dict[str, tuple[Template, FieldKind]] = {
    "ClientAddr": ((Variable.CLIENT_ADDRESS,), _TEXT),
    "ClientHost": ((Variable.CLIENT_IP,), _TEXT),
    "ClientPort": ((Variable.CLIENT_PORT,), _TEXT),
    "ClientUsername": ((Literal("-"),), _TEXT),
    "DownstreamContentSize": ((Variable.RESPONSE_BODY_BYTES,), _NUMBER),
    "DownstreamStatus": ((Variable.STATUS,), _NUMBER),
    "Duration": ((Variable.DURATION_NANOS,), _NUMBER),
    "OriginContentSize": ((Variable.UPSTREAM_RESPONSE_BYTES,), _OPTIONAL_NUMBER),
    "OriginDuration": ((Variable.UPSTREAM_RESPONSE_NANOS,), _OPTIONAL_NUMBER),
    "OriginStatus": ((Variable.UPSTREAM_STATUS,), _OPTIONAL_NUMBER),
    "Overhead": ((Variable.OVERHEAD_NANOS,), _NUMBER),
    "RequestAddr": ((Variable.HOST_FIELD,), _TEXT),
    "RequestContentSize": ((Variable.REQUEST_BODY_BYTES,), _NUMBER),
    "RequestCount": ((Variable.REQUEST_COUNT,), _NUMBER),
    "RequestHost": ((Variable.HOST_NAME,), _TEXT),
    "RequestMethod": ((Variable.METHOD,), _TEXT),
    "RequestPath": (_PATH, _TEXT),
    "RequestPort": ((Variable.SERVER_PORT,), _TEXT),
    "RequestProtocol": ((Variable.PROTOCOL,), _TEXT),
    "RequestScheme": ((Variable.SCHEME,), _TEXT),
    "RetryAttempts": ((Variable.RETRIES,), _NUMBER),
    "RouterName": ((Variable.ROUTE_NAME,), _OPTIONAL),
    "ServiceAddr": ((Variable.UPSTREAM_ADDRESS,), _OPTIONAL),
    "ServiceName": ((Variable.SERVICE_NAME,), _OPTIONAL),
    "ServiceURL": ((Variable.UPSTREAM_URL,), _OPTIONAL),
    "StartLocal": ((Variable.START_LOCAL,), _TEXT),
    "StartUTC": ((Variable.START_UTC,), _TEXT),
    "TLSCipher": ((Variable.TLS_CIPHER,), _OPTIONAL),
    "TLSVersion": ((Variable.TLS_VERSION,), _OPTIONAL),
    "entryPointName": ((Variable.LISTENER_ID,), _TEXT),
}
# logrus adds these to every line, whatever is dropped.
_ALWAYS: dict[str, tuple[Template, FieldKind]] = {
    "level": ((Literal("info"),), _TEXT),
    "msg": ((), _TEXT),
    "time": ((Variable.TIME_ISO8601,), _TEXT),
}


def lower_access_log(options: AccessLog) -> plan.AccessLog:
    """Return the log that every logged route and host names."""
    filters = options.filters
    return plan.AccessLog(
        sink=plan.File(path=options.file_path, mode=_FILE_MODE) if options.file_path else plan.Stdout(),
        format=_format(options),
        queue_lines=max(options.buffering_size, _QUEUE_LINES),
        when=None,
        filter=plan.LogFilter(
            statuses=tuple(_range(status) for status in filters.status_codes),
            min_duration_ms=millis(filters.min_duration),
            retried=filters.retry_attempts,
        ),
    )


def _format(options: AccessLog) -> plan.Format:
    if options.format == "json":
        return plan.Json(_json_fields(options.fields_))
    path = _path(options.fields_)
    line: Template = (
        Variable.CLIENT_IP,
        Literal(" - - ["),
        Variable.TIME_COMMON,
        Literal('] "'),
        Variable.METHOD,
        Literal(" "),
        *path,
        Literal(" "),
        Variable.PROTOCOL,
        Literal('" '),
        Variable.STATUS,
        Literal(" "),
        Variable.RESPONSE_BODY_BYTES,
        Literal(' "'),
        *_header(options.fields_, "Referer"),
        Literal('" "'),
        *_header(options.fields_, "User-Agent"),
        Literal('"'),
    )
    if options.format == "common":
        line = (
            *line,
            Literal(" "),
            Variable.REQUEST_COUNT,
            Literal(' "'),
            Variable.ROUTE_NAME,
            Literal('" "'),
            Variable.UPSTREAM_URL,
            Literal('" '),
            Variable.DURATION_MILLIS,
            Literal("ms"),
        )
    return plan.Text(line=line, escape=plan.Escape.COMMON)


def _json_fields(options: AccessLogFields) -> tuple[Field, ...]:
    modes = {name.lower(): mode for name, mode in options.names.items()}
    chosen = {name: value for name, value in _CORE.items() if modes.get(name.lower(), options.default_mode) != "drop"}
    if "RequestPath" in chosen:
        chosen["RequestPath"] = (_path(options), _TEXT)
    for name, mode in options.headers.names.items():
        if mode == "drop":
            continue
        lower = name.lower()
        sources: dict[str, Template] = {
            f"request_{name}": (Header(lower),),
            f"origin_{name}": (UpstreamHeader(lower),),
            f"downstream_{name}": (ResponseHeader(lower),),
        }
        for key, value in sources.items():
            chosen[key] = ((Literal("REDACTED"),) if mode == "redact" else value, _OPTIONAL)
    chosen.update(_ALWAYS)
    return tuple(Field(name=name, value=value, kind=kind) for name, (value, kind) in sorted(chosen.items()))


def _header(options: AccessLogFields, name: str) -> Template:
    """Return a header of the common format; Traefik shows `-` for one that is not kept."""
    modes = {key.lower(): mode for key, mode in options.headers.names.items()}
    mode = modes.get(name.lower(), options.headers.default_mode)
    if mode == "keep":
        return (Header(name.lower()),)
    return (Literal("REDACTED" if mode == "redact" else "-"),)


def _path(options: AccessLogFields) -> Template:
    return _PATH if options.query_parameters.default_mode == "keep" else (Variable.PATH,)


def _range(status: str) -> tuple[int, int]:
    low, _, high = status.partition("-")
    return int(low), int(high or low)
