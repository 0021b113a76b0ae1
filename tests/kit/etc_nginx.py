"""What people have in /etc/nginx, in the style of distributions and tutorials: a file each, with what becomes of it.

    --- nginx.conf               files of the directory; @ETC@ is its path, @PORT@ and @TLS@ are ports, @APP@, @APP2@
    --- sites-enabled/site       and @SOCKET@ backends
    --- ask                      requests whose answers must be nginx's: `[tls] METHOD TARGET HOST [Field: value]`
    --- says                     or what `daemun check` says: FILE:LINE message, and below it what to do

`python -m tests.kit.etc_nginx` writes what is said anew (PYTHONPATH=src:.).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from daemun.certificates.files import look_at
from daemun.nginx.check import check
from tests.kit.authority import Authority
from tests.kit.differential import Asked

FOLDER = Path(__file__).parents[1] / "real" / "etc_nginx"
_ASKED = re.compile(r"(?P<tls>tls )?(?P<method>[A-Z]+) (?P<target>\S+) (?P<host>\S+)(?: (?P<field>.+))?")
_NAMES = ("example.com", "*.example.com", "api.example.org", "unknown.example.org")
AUTHORITY = Authority()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file. `says` is None when it runs."""

    name: str
    files: Mapping[str, str]
    asks: tuple[str, ...]
    says: str | None

    def write(self, etc: Path, words: Mapping[str, str]) -> None:
        """Write the directory, with certificates, open to everybody as /etc/nginx is."""
        for name, text in self.files.items():
            path = etc / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(text, {"ETC": str(etc), **words}), encoding="utf-8")
        issued = AUTHORITY.issue(*_NAMES)
        (etc / "cert.pem").write_text(issued.chain)
        (etc / "key.pem").write_text(issued.key)
        etc.chmod(0o755)

    def requests(self) -> Iterator[tuple[bool, Asked]]:
        """What is asked; whether over TLS."""
        for number, line in enumerate(self.asks):
            found = _ASKED.fullmatch(line)
            assert found is not None, line
            method = found["method"]
            body = b"a=b&c" if method == "POST" else b""
            fields = [f"Host: {found['host']}", *filter(None, [found["field"]])]
            fields += [f"Content-Length: {len(body)}"] if body else []
            asked = Asked(
                number=number,
                method=method,
                target=found["target"],
                version="HTTP/1.1",
                fields=(*fields, "Connection: close"),
                body=body,
            )
            yield found["tls"] is not None, asked


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z0-9]+)@", lambda word: words[word[1]], text)


def cases() -> list[Case]:
    """Return every file."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Case:
    """Take a file apart."""
    _, *parts = re.split(r"^--- (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    asks, says = sections.pop("ask", ""), sections.pop("says", None)
    return Case(name=path.stem, files=sections, asks=tuple(asks.splitlines()), says=says)


def said(case: Case) -> str:
    """Return what `daemun check` says of it: places without the directory."""
    with tempfile.TemporaryDirectory() as folder:
        etc = Path(folder)
        words = {"PORT": "8080", "TLS": "8443", "APP": "127.0.0.1:8000", "APP2": "127.0.0.1:8001", "SOCKET": "/run/a"}
        case.write(etc, words)
        lines = []
        for problem in check(etc / "nginx.conf", look=look_at):
            place = problem.place
            where = "" if place is None else f"{place.file}:{place.line} "
            lines.append(f"{where}{problem.message}\n    {problem.remedy}\n".replace(f"{folder}/", ""))
        return "".join(lines)


def write() -> None:
    """Write what is said of each file anew."""
    for path in sorted(FOLDER.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        if "--- says\n" in text:
            path.write_text(text.partition("--- says\n")[0] + "--- says\n" + said(read(path)), encoding="utf-8")


if __name__ == "__main__":
    write()
