"""Runs one file of the suite as an ordinary user, within a time, and ends whatever it leaves behind.

A file starts servers of its own, and the one under test, whose engine has a session of its own: they are found again by
a word in their environment, never by name.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.nginx_tests.tap import Outcome, outcome

ROOT = Path(__file__).parents[2]
_MARK = "DAEMUN_NGINX_TESTS"
_ENDING = 3.0  # seconds for what is left to end before it is killed
_PAUSE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a file is run with. `user` is None to stay who we are. `script` stands in for a program it cannot start."""

    suite: Path
    program: Path
    script: str
    engine: Path | None
    user: str | None
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a file went; `out_of_time` when it had to be ended."""

    name: str
    outcome: Outcome
    text: str
    seconds: float
    out_of_time: bool

    @property
    def verdict(self) -> str:
        """In a few words."""
        done = self.outcome
        if done.skip_all:
            return "skipped"
        if done.is_whole and not self.out_of_time:
            return "passed"
        return "out of time" if self.out_of_time else "failed" if done.planned else "did not start"


def run(name: str, bench: Bench) -> Ran:
    """Run one file."""
    with tempfile.TemporaryDirectory(prefix="nginx-tests-") as made:
        directory = Path(made)
        program = directory / "bin" / "nginx"
        program.parent.mkdir()
        if bench.script:
            program.write_text(bench.script, encoding="utf-8")
            program.chmod(0o755)
        else:
            program.symlink_to(bench.program)
        before: list[str] = []
        if bench.user is not None:
            account = pwd.getpwnam(bench.user)
            os.chown(directory, account.pw_uid, account.pw_gid)
            before = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        mark = directory.name
        environ = _environment(bench, program, directory, mark)
        began = time.monotonic()
        out_of_time = False
        with (directory / "tap").open("w+b") as said:
            process = subprocess.Popen(
                [*before, "perl", name],
                cwd=bench.suite,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            try:
                process.wait(bench.limit)
            except subprocess.TimeoutExpired:
                out_of_time = True
            finally:
                _end(mark)
                process.wait()
            said.seek(0)
            text = said.read().decode(errors="replace")
    seconds = time.monotonic() - began
    return Ran(name=name, outcome=outcome(text), text=text, seconds=seconds, out_of_time=out_of_time)


def _environment(bench: Bench, program: Path, directory: Path, mark: str) -> Mapping[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TEST_NGINX", "PERL"))}
    environ |= {
        _MARK: mark,
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PERL5LIB": str(bench.suite / "lib"),
        "TEST_NGINX_BINARY": str(program),
        # The long tests of a file too: what is skipped is not passed.
        "TEST_NGINX_UNSAFE": "1",
    }
    modules = Path("/usr/lib/nginx/modules")
    if bench.engine is None and modules.is_dir():
        environ["TEST_NGINX_MODULES"] = str(modules)
    elif bench.engine is not None:
        environ["DAEMUN_ENGINE"] = str(bench.engine)
    return environ


def _end(mark: str) -> None:
    """End every process that has the word in its environment, by its id."""
    end = time.monotonic() + _ENDING
    number = signal.SIGTERM
    while left := list(_marked(mark)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if time.monotonic() > end:
            number = signal.SIGKILL
        time.sleep(_PAUSE)


def _marked(mark: str) -> Iterator[int]:
    word = f"{_MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if word in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def script_for(user: str | None) -> str:
    """Return a script that is Daemun for this user; empty when the installed command is.

    A Python below root's home can be started by root only; Debian's of the same version takes its place.
    """
    if user is None or _may_start(user, Path(sys.executable)):
        return ""
    other = Path("/usr/bin/python3")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    said = subprocess.run(
        [other, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, check=False
    )
    if said.stdout.decode().strip() != here or not _may_start(user, other):
        sys.exit(f"{user} can start neither {sys.executable} nor a {other} of version {here}")
    paths = [str(ROOT / "src"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return f"#!{other} -P\nimport sys\nsys.path[:0] = {paths!r}\nfrom daemun.cli.main import main\nmain()\n"


def _may_start(user: str, program: Path) -> bool:
    account = pwd.getpwnam(user)
    become = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    # By a shell: it takes no other program when this one may not be started.
    command = [*become, "sh", "-c", '"$0" --version', str(program)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def missing_programs() -> list[str]:
    """Return what the suite needs and this machine lacks, as Debian's packages."""
    lacks = [] if shutil.which("perl") else ["perl"]
    for module, package in (("IO::Socket::SSL", "libio-socket-ssl-perl"), ("TAP::Harness", "perl")):
        if subprocess.run(["perl", f"-M{module}", "-e1"], capture_output=True, check=False).returncode:
            lacks.append(package)
    return lacks
