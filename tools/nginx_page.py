"""Writes docs/reference/nginx.md from the catalogue of `daemun.nginx`, so that it cannot lie.

`python -m tools.nginx_page` writes the page; a house test compares. The differences from nginx stand here in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from daemun.nginx.catalogue import CONTEXTS, FAMILIES, TABLES, Shape, rows

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "nginx.md"
_HEAD = """# nginx.conf

<!-- Written by `python -m tools.nginx_page` from the catalogue; do not edit by hand. -->

`daemun run --config nginx.conf` serves what an nginx configuration says, and so does a file of `conf.d/` that stands
without `http {}`. A file is known as nginx's by its content. The file and what it includes are watched: a change is
taken without a restart, a broken one is refused as a whole with its file, line and column, and what was before goes on.
`daemun check nginx.conf` says everything that is wrong at once, `daemun check -v` also what has no effect here.

The meaning is nginx 1.31's. Relative names of certificates and includes are relative to the directory of the file,
those of content and logs to the same directory (with `daemun nginx`, to its prefix). Without `access_log` lines go to
standard output (with `daemun nginx`, to `logs/access.log`).

## Certificates without certbot

A server that listens with `ssl` and names no `ssl_certificate` has one obtained, by ACME over TLS-ALPN-01 (the
authority asks at port 443), when somebody is named who obtains it:

- on the command line, `daemun run --config nginx.conf --acme-email you@example.org`, for every such server;
- in `http` or a `server`, `daemun_certificate you@example.org;`, with `server=URL` for another authority than Let's
  Encrypt, `ca=FILE` for roots to believe it by, `storage=FILE` for the account and certificates (`acme.json` in the data
  directory) and `names=a,b` where they are not those of `server_name`;
- `daemun_certificate local;` has the local authority make one, for names that no public one signs (see `daemun trust`);
- `daemun_certificate off;` ends what is inherited.

Without any of these it is an error that says so. `daemun certs` shows what was obtained.

## Differences from nginx

"""
_DIFFERENCES = (
    "nginx with an error in its configuration says the first one; here all of them are said at once.",
    "`worker_processes` is the number of threads; without it there is one for each core.",
    "No `Server` field is sent and pages say `nginx` without a version, whatever `server_tokens` says.",
    (
        "The Connection and Upgrade fields towards upstreams are Daemun's own: `proxy_set_header Upgrade $http_upgrade` lets "
        "upgrades pass, `proxy_set_header Connection close` keeps no connection, any other value is said to have no effect."
    ),
    (
        "Methods that are not safe reuse only upstream connections that were idle for less than 3 s: applications close them "
        "after 5 s, and what was sent cannot be sent again. A bodyless GET, HEAD, OPTIONS or TRACE on a reused connection that "
        "dies before the first byte is sent again, whatever `proxy_next_upstream` says."
    ),
    (
        "Names of upstreams are resolved again when their time is over, not once when the configuration is read; `resolver` is "
        "not asked, the system's resolver is. An upstream that cannot be resolved is no error when the configuration is read."
    ),
    (
        "What nginx lets a location say of the connection to the client (`client_body_timeout`, `send_timeout`, "
        "`keepalive_timeout`, `keepalive_requests`, `keepalive_time`) is taken from its server."
    ),
    "`random` is always of two servers with the fewest connections, whatever stands behind it.",
    "The scheme of `proxy_pass` is written out: `proxy_pass $url` is an error.",
    (
        "The answer to a path that lacks the last slash of a location (`/shop` for `location /shop/` with proxy_pass) is an "
        "exact location: a regular expression of an outer block does not come before it."
    ),
    (
        "TLS begins with 1.2; of OpenSSL's suites those with ephemeral keys and authenticated encryption are there. What is "
        "missing of `ssl_ciphers`, `ssl_protocols` and `ssl_ecdh_curve` is left out; when nothing is left it is an error."
    ),
    "Responses are not compressed (`gzip` has no effect); files that stand compressed beside others go out by `gzip_static`.",
    "`charset` has no effect: Content-Type is what `types`, `default_type` or the application says.",
    "Files of `auth_basic_user_file` are read when the configuration is, and when they change, not with each request.",
    "A server with `ssl` and no certificate may have one obtained (above); nginx refuses it.",
    (
        "Underscore spellings of fields are dropped unless `underscores_in_headers` is on, as in nginx; framing is strict "
        "everywhere: what RFC 9112 calls ambiguous is refused."
    ),
)


def page() -> str:
    """Return the page."""
    return "".join([_HEAD, *(f"- {text}\n" for text in _DIFFERENCES), *_tables(), *_families()])


def _tables() -> Iterator[str]:
    for table in TABLES:
        yield f"\n## Directives: {table.TITLE}\n\n"
        yield "| directive | where | arguments | here |\n| --- | --- | --- | --- |\n"
        for shape in rows(table.ROWS):
            yield f"| `{shape.name}` | {_where(shape.contexts)} | {_arguments(shape)} | {_verdict(shape)} |\n"


def _families() -> Iterable[str]:
    yield "\n## Families that are not served\n\n| begins with | instead |\n| --- | --- |\n"
    for prefix, instead in FAMILIES.items():
        yield f"| `{prefix}` | {instead} |\n"


def _where(contexts: str) -> str:
    return ", ".join(CONTEXTS[letter] for letter in contexts)


def _arguments(shape: Shape) -> str:
    if shape.flag:
        return "on, off"
    plain = shape.words.rstrip("*{").replace("1+", "1 or more").replace("2+", "2 or more").replace("0+", "any")
    return f"{plain.replace('-', ' to ')}{', a block' if shape.block else ''}"


def _verdict(shape: Shape) -> str:
    if shape.verdict == "yes":
        return "served"
    if shape.verdict == "idle":
        return f"no effect{f': {shape.remark}' if shape.remark else ''}"
    but = f"; {' and '.join(f'`{word}`' for word in shape.harmless)} is accepted" if shape.harmless else ""
    return f"not supported: {shape.remark}{but}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
