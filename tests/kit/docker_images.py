"""The images of tests, made here: root file systems that a Docker engine imports. Nothing is pulled.

`busybox`: Debian's static busybox; its httpd says the container's name at `/` and any files below /www, on port 80.
`fastapi`: Debian with Python, FastAPI and uvicorn (debootstrap and pip), built once and kept under .cache.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from tests.kit.engine import ROOT

CACHE = ROOT / ".cache" / "docker"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A root file system, what it runs, and the ports it exposes."""

    archive: Callable[[], bytes]
    command: Sequence[str]
    ports: Sequence[str]


def _busybox() -> bytes:
    program = shutil.which("busybox")
    if program is None:
        pytest.skip("no busybox: `tools/setup.sh test` installs it")
    applets = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in ("bin", "dev", "etc", "proc", "sys", "tmp", "var", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(program, "bin/busybox")
        for applet in applets:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                archive.addfile(entry)
        for name, text in {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n", "etc/group": "root:x:0:\n"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


# A program whose PID is 1 ends at SIGTERM only if it says so.
SAYS_ITS_NAME = 'trap "exit 0" TERM; echo "$NAME" >/www/index.html; httpd -f -p 80 -h /www & wait'

IMAGES = {
    "busybox": Image(archive=_busybox, command=("/bin/sh", "-c", SAYS_ITS_NAME), ports=("80/tcp",)),
}
