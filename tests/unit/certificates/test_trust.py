"""`daemun trust` with the real programs, in stores of the test's own."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemun.certificates.local import LocalAuthority
from daemun.certificates.trust import SystemStore, install, remove
from tests.kit.authority import Authority

UPDATE = shutil.which("update-ca-certificates", path="/usr/sbin:/sbin:/usr/bin")
needs_debian = pytest.mark.skipif(UPDATE is None, reason="no update-ca-certificates (Debian: ca-certificates)")
needs_certutil = pytest.mark.skipif(shutil.which("certutil") is None, reason="no certutil (Debian: libnss3-tools)")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of an authority."""
    authority = LocalAuthority(tmp_path / "data")
    authority.root(now=datetime.now(UTC))
    return authority.root_path


def debian(folder: Path) -> SystemStore:
    """Debian's own program, with every directory below a folder."""
    for name in ("local", "certs", "etc", "hooks"):
        (folder / name).mkdir()
    (folder / "conf").touch()
    command = (str(UPDATE), "--certsconf", f"{folder}/conf", "--certsdir", f"{folder}/certs",
               "--localcertsdir", f"{folder}/local", "--etccertsdir", f"{folder}/etc", "--hooksdir", f"{folder}/hooks")  # fmt: skip
    return SystemStore(directory=folder / "local", added=command, removed=(*command, "--fresh"))


@needs_debian
def test_the_system(tmp_path: Path, root: Path) -> None:
    """The root is in the bundle that programs read, and gone from it after it was taken back."""
    store = debian(tmp_path)
    # Without any certificate the program leaves the old bundle; a system has others.
    (tmp_path / "local" / "other.crt").write_text(Authority().root)
    bundle = tmp_path / "etc" / "ca-certificates.crt"
    [step] = install(root, home=tmp_path, stores=[store])
    assert step.done, step
    assert root.read_text().strip() in bundle.read_text()
    [step] = remove(home=tmp_path, stores=[store])
    assert step.done, step
    assert root.read_text().strip() not in bundle.read_text()
    assert list(remove(home=tmp_path, stores=[store])) == []


@needs_certutil
def test_a_browser(tmp_path: Path, root: Path) -> None:
    """Its database believes the root for servers, and forgets it again."""
    database = tmp_path / ".pki" / "nssdb"
    database.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True, capture_output=True)
    steps = list(install(root, home=tmp_path, stores=[]))
    assert [step.done for step in steps] == [False, True]
    assert "Chromium believes it" in steps[1].text
    listed = subprocess.run(["certutil", "-L", "-d", f"sql:{database}"], capture_output=True, text=True, check=True)
    assert "C,," in next(line for line in listed.stdout.splitlines() if "Daemun Local Authority" in line)
    [step] = remove(home=tmp_path, stores=[])
    assert step.done
    assert list(remove(home=tmp_path, stores=[])) == []


def test_a_system_nobody_knows(tmp_path: Path, root: Path) -> None:
    """It is said what to do by hand."""
    [step] = install(root, home=tmp_path, stores=[])
    assert not step.done
    assert str(root) in step.remedy


def test_a_program_that_fails(tmp_path: Path, root: Path) -> None:
    """What it said is told, with the command that would do it."""
    (tmp_path / "local").mkdir()
    command = ("sh", "-c", "echo no such luck >&2; exit 3")
    store = SystemStore(directory=tmp_path / "local", added=command, removed=command)
    [step] = install(root, home=tmp_path, stores=[store])
    assert not step.done
    assert "no such luck" in step.text
    assert step.remedy.startswith("sudo install -m 644 ")


def test_a_store_that_cannot_be_written(tmp_path: Path, root: Path) -> None:
    """As for anybody who is not root: nothing is half done."""
    (tmp_path / "local" / "daemun-local-authority.crt").mkdir(parents=True)
    store = SystemStore(directory=tmp_path / "local", added=("true",), removed=("true",))
    [step] = install(root, home=tmp_path, stores=[store])
    assert not step.done
    assert "the system: Is a directory" in step.text
