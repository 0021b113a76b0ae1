"""A directory of files for tests, and a Plan that serves it as an nginx of the same locations does."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

from daemun.plan.codec import written
from daemun.plan.fault import FaultAnswers
from tests.kit.lowered import nginx
from tests.kit.plans import Json, files, plan, policy, replaced, route

MODIFIED = 784_111_777  # Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110
BIG = bytes(range(256)) * 1200
TYPES = {"html": "text/html", "txt": "text/plain", "css": "text/css", "js": "application/javascript", "bin": "a/b"}
LISTING = {"format": "html", "exact_size": True, "local_time": False, "charset": ""}
CONTENT = {
    "index.html": b"<p>home</p>",
    "hello.txt": b"hello, world\n" * 10,
    "empty.txt": b"",
    "one.txt": b"1",
    "page.HTML": b"<p>upper</p>",
    "noext": b"no extension",
    ".hidden": b"hidden",
    "trailing.": b"dot",
    "two.tar.css": b"two",
    "sp ace.txt": b"space",
    "a+b&c;d=e.txt": b"marks",
    "per%cent.txt": b"percent",
    'quo"te<>.txt': b"quote",
    "ü.txt": b"umlaut",
    "new\nline.txt": b"line",
    "x" * 60 + ".txt": b"long",
    "big.bin": BIG,
    "sub/index.html": b"<p>sub</p>",
    "sub/x.css": b"x{}",
    "bare/a.txt": b"a",
    "bare/b/c.txt": b"c",
    "gz/app.js": b"plain();" * 40,
    "gz/app.js.gz": gzip.compress(b"plain();" * 40, mtime=0),
    "gz/alone.txt.gz": gzip.compress(b"alone", mtime=0),
    "gz/plain.txt": b"plain",
    "gz/dir.txt.gz/x": b"x",
    "gz/dir.txt": b"beside a directory",
}


def make_tree(root: Path) -> Path:
    """The files of CONTENT, all of one time; an empty directory, links, a FIFO."""
    root.mkdir()
    for name, content in CONTENT.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (root / "hollow").mkdir()
    (root / "link.txt").symlink_to("hello.txt")
    (root / "away").symlink_to("sub")
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    for path in sorted(root.rglob("*")):
        os.utime(path, (MODIFIED, MODIFIED), follow_symlinks=False)
    os.utime(root, (MODIFIED, MODIFIED))
    return root


def serving(routes: dict[str, Json], **fields: Any) -> Json:
    """A Plan whose prefixes lead to these file actions, read as nginx reads, with nginx's pages."""
    prefixes = [
        {"path": path, "stop": False, "route": path, "redirect_without_slash": False, "children": None}
        for path in routes
    ]
    table = {"exact": [], "prefixes": prefixes, "regexes": [], "named": [], "otherwise": None}
    decoded = {
        "form": "decoded",
        "refuse_above_root": True,
        "refuse_fragment": False,
        "query_semicolons": "keep",
    }
    whole = plan(
        "127.0.0.1:1",
        http=policy(path=decoded),
        routes={path: route(action) for path, action in routes.items()},
        mime_types={"types": TYPES},
        **fields,
    )
    whole = replaced(whole, "tables.table", {"locations": table})
    return replaced(whole, "faults.faults", json.loads(written(FaultAnswers, nginx.faults())))


def serving_files(root: Path, **fields: Any) -> Json:
    """The whole of a directory at `/`."""
    return serving({"/": {"files": files(str(root), **fields)}})
