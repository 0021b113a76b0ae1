"""Writes docs/reference/nginx.md from the catalogue of `daemun.nginx`, so that it cannot lie.

`python -m tools.nginx_page` writes the page; a house test compares.
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
standard output (with `daemun nginx`, to `/var/log/nginx/access.log`).

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

Where it differs from nginx, knowingly: [differences-nginx.md](../explain/differences-nginx.md).
"""


def page() -> str:
    """Return the page."""
    return "".join([_HEAD, *_tables(), *_families()])


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
