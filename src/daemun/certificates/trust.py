"""Makes this machine, and the browsers of this user, believe the local authority; and takes that back.

Facts: Debian's `update-ca-certificates` takes what stands below /usr/local/share/ca-certificates with the ending .crt;
Fedora's `update-ca-trust` what stands in its anchors; Arch's the same under another path. Chromium and Firefox keep
databases of their own (NSS), which `certutil` changes. Decisions: nothing is done that was not asked for, every step is
told with its outcome, and a step that cannot be done is told with the command that would do it.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE = "daemun-local-authority.crt"
_NICKNAME = "Daemun Local Authority"
_LIMIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStore:
    """A directory of roots, and the programs that make the system take notice of a new one, and of one that went."""

    directory: Path
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Tell whether this machine has such a store."""
        return self.directory.is_dir() and _program(self.added[0]) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was done, or could not be: then `remedy` does it by hand."""

    done: bool
    text: str
    remedy: str = ""


_EXTRACT = ("update-ca-trust", "extract")
SYSTEM_STORES = (
    SystemStore(
        directory=Path("/usr/local/share/ca-certificates"),
        added=("update-ca-certificates",),
        removed=("update-ca-certificates", "--fresh"),
    ),
    SystemStore(directory=Path("/etc/pki/ca-trust/source/anchors"), added=_EXTRACT, removed=_EXTRACT),
    SystemStore(directory=Path("/etc/ca-certificates/trust-source/anchors"), added=_EXTRACT, removed=_EXTRACT),
)


def install(root: Path, *, home: Path, stores: Sequence[SystemStore] = SYSTEM_STORES) -> Iterator[Step]:
    """Have the root believed by this machine and the browsers below `home`; yield each step."""
    store = next((one for one in stores if one.usable), None)
    if store is None:
        yield Step(done=False, text="the system: its store of roots is not known here", remedy=f"add {root} to it")
    else:
        target = store.directory / _FILE

        def put() -> None:
            target.write_bytes(root.read_bytes())
            target.chmod(0o644)

        by_hand = f"sudo install -m 644 {root} {target} && sudo {' '.join(store.added)}"
        yield _attempt(put, store.added, did=f"the system believes it ({target})", by_hand=by_hand)
    for database, name in _databases(home):
        command = ("certutil", "-A", "-t", "C,,", "-n", _NICKNAME, "-i", str(root), "-d", f"sql:{database}")
        yield _attempt(None, command, did=f"{name} believes it ({database})", by_hand=_by_hand(command))


def remove(*, home: Path, stores: Sequence[SystemStore] = SYSTEM_STORES) -> Iterator[Step]:
    """Take the root away again, wherever `install` put it; yield each step."""
    for store in stores:
        target = store.directory / _FILE
        if target.exists():
            by_hand = f"sudo rm {target} && sudo {' '.join(store.removed)}"
            yield _attempt(target.unlink, store.removed, did="the system believes it no longer", by_hand=by_hand)
    for database, name in _databases(home):
        here = ("-n", _NICKNAME, "-d", f"sql:{database}")
        if _program("certutil") is None or _run(("certutil", "-L", *here)) == "":
            command = ("certutil", "-D", *here)
            yield _attempt(None, command, did=f"{name} believes it no longer", by_hand=_by_hand(command))


def _databases(home: Path) -> Iterator[tuple[Path, str]]:
    """Yield the browsers' databases below a home, and whose they are."""
    chromium = home / ".pki" / "nssdb"
    if chromium.is_dir():
        yield chromium, "Chromium"
    for profiles in (home / ".mozilla" / "firefox", home / "snap" / "firefox" / "common" / ".mozilla" / "firefox"):
        for database in sorted(profiles.glob("*/cert9.db")):
            yield database.parent, "Firefox"


def _attempt(change: Callable[[], object] | None, command: tuple[str, ...], *, did: str, by_hand: str) -> Step:
    """Change something and run a program; say what came of it."""
    what = did.partition(" believes")[0]
    try:
        if change is not None:
            change()
    except OSError as error:
        return Step(done=False, text=f"{what}: {error.strerror or error}", remedy=by_hand)
    wrong = _run(command)
    return Step(done=False, text=f"{what}: {wrong}", remedy=by_hand) if wrong else Step(done=True, text=did)


def _run(command: tuple[str, ...]) -> str:
    """Run a program; return what went wrong in one line, empty when nothing did."""
    program = _program(command[0])
    if program is None:
        return f"{command[0]} is not installed"
    try:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"{command[0]} ended with {done.returncode}"


def _program(name: str) -> str | None:
    """Find a program; those of the administrator are not on everyone's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _by_hand(command: tuple[str, ...]) -> str:
    return f"{shlex.join(command)} (certutil: Debian libnss3-tools)"
