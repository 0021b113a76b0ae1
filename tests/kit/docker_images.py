"""The images of tests, made here: root file systems that a Docker engine imports. Nothing is pulled.

`busybox`: Debian's static busybox; its httpd says the container's name at `/` and any files below /www, on port 80.
`fastapi`: Debian with Python, FastAPI and uvicorn (debootstrap and pip), built once and kept under .cache by its recipe;
the application is /app/application.py, which a test mounts.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

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
        raise SkipTest("no busybox: `tools/setup.sh test` installs it")
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


RECIPE = """
set -eu
root=$1
debootstrap --variant=minbase --include=python3 bookworm "$root"
"$2" -m pip install --quiet --target "$root/usr/local/lib/python3.11/dist-packages" \\
    --only-binary :all: --implementation cp --python-version 3.11 "fastapi>=0.115" "uvicorn>=0.34"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man
rm -rf "$root"/usr/share/locale "$root"/usr/share/zoneinfo "$root"/usr/share/perl* "$root"/usr/lib/*/perl*
rm -rf "$root"/usr/lib/*/gconv "$root"/var/lib/dpkg
chroot "$root" python3 -m compileall -q /usr/local/lib /usr/lib/python3.11 || true
mkdir "$root/app"
tar -C "$root" --exclude ./dev/\\* --exclude ./proc/\\* --exclude ./sys/\\* -cf "$3" .
"""


def _fastapi() -> bytes:
    kept = CACHE / f"fastapi-{hashlib.sha256(RECIPE.encode()).hexdigest()[:16]}.tar"
    if not kept.exists():
        _build(kept)
    return kept.read_bytes()


def _build(kept: Path) -> None:
    if shutil.which("debootstrap", path=f"/usr/sbin:{os.environ['PATH']}") is None:
        raise SkipTest("no debootstrap: `tools/setup.sh test` installs it")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="daemun-image-", dir=kept.parent) as work:
        built = Path(work, "image.tar")
        # In a mount namespace, for debootstrap mounts /proc in what it builds.
        subprocess.run(
            ["unshare", "--mount", "sh", "-c", RECIPE, "sh", f"{work}/root", sys.executable, str(built)],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}", "DEBIAN_FRONTEND": "noninteractive"},
        )
        built.rename(kept)


# A program whose PID is 1 ends at SIGTERM only if it says so; this one lets running answers end, as a server should, and
# stays until what they wrote has left: its network goes with it, and what is still in there is lost.
SAYS_ITS_NAME = """
trap 'kill $!; while pidof httpd; do sleep 0.05; done >/dev/null; sleep 0.2; exit 0' TERM
echo "$NAME" >/www/index.html
httpd -f -p 80 -h /www & wait
"""

UVICORN = ("python3", "-m", "uvicorn", "application:app", "--app-dir", "/app", "--host", "0.0.0.0", "--port", "80")

IMAGES = {
    "busybox": Image(archive=_busybox, command=("/bin/sh", "-c", SAYS_ITS_NAME), ports=("80/tcp",)),
    "fastapi": Image(archive=_fastapi, command=UVICORN, ports=("80/tcp",)),
}
