"""`daemun nginx` without a process: its command line, the main context, the pid file, where its state is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemun.errors import Place, Problem
from daemun.nginx.read import read_text
from daemun.run.drop_in.flags import Flags, WrongFlags, read_flags
from daemun.run.drop_in.messages import COMMAND_LINE, sentence
from daemun.run.drop_in.paths import paths_of
from daemun.run.drop_in.pid_file import PidFile, read_pid
from daemun.run.drop_in.settings import FOR_EVER, Settings, settings_of
from daemun.run.drop_in.state import state_path
from daemun.run.drop_in.version import arguments


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["-t"], Flags(test=True)),
        (["-tq"], Flags(test=True, quiet=True)),
        (["-T"], Flags(test=True, dump=True)),
        (["-V"], Flags(version=True, configure=True)),
        (["-?"], Flags(version=True, help=True)),
        (["-c/a.conf", "-p", "/x"], Flags(config="/a.conf", prefix="/x")),
        (["-tc", "a.conf"], Flags(test=True, config="a.conf")),
        (["-s", "reload", "-e", "stderr"], Flags(signal="reload", error_log="stderr")),
        (["-g", "daemon off;"], Flags(given="daemon off;")),
        ([], Flags()),
    ],
)
def test_flags(words: list[str], flags: Flags) -> None:
    """Letters may stand together, and a value may be glued to its letter."""
    assert read_flags(words) == flags


@pytest.mark.parametrize("words", [["-x"], ["a"], ["-c"], ["-s", "halt"], ["--help"]])
def test_wrong_flags(words: list[str]) -> None:
    """What nginx does not know is refused."""
    with pytest.raises(WrongFlags):
        read_flags(words)


def test_paths() -> None:
    """Relative names are relative to the prefix, whose slash may be missing; includes to the file's directory."""
    paths = paths_of(Flags(prefix="/srv/x", config="conf/a.conf", error_log="e.log"))
    assert (paths.config, paths.error_log) == ("/srv/x/conf/a.conf", "/srv/x/e.log")
    assert paths.config_prefix == "/srv/x/conf/"
    assert paths_of(Flags()).config == "/etc/nginx/nginx.conf"
    assert paths_of(Flags(error_log="stderr")).error_log == ""


def settings(text: str) -> tuple[Settings, list[str]]:
    found, problems = settings_of(read_text(text).directives, paths_of(Flags(prefix="/p")))
    return found, [problem.message for problem in problems]


def test_defaults_of_the_main_context() -> None:
    """nginx's: a daemon, one worker, no limit to a graceful stop, errors only."""
    found, problems = settings("")
    assert problems == []
    assert (found.pid, found.daemon, found.threads, found.shutdown) == ("/run/nginx.pid", True, 1, FOR_EVER)
    assert (found.log.level, found.log.file_path) == ("error", "/var/log/nginx/error.log")


def test_main_context() -> None:
    """What it says of the process."""
    found, problems = settings(
        "pid a.pid; daemon off; worker_processes auto; worker_shutdown_timeout 1m30s; error_log e.log warn;"
    )
    assert problems == []
    assert (found.pid, found.daemon, found.threads, found.shutdown) == ("/p/a.pid", False, None, 90.0)
    assert (found.log.level, found.log.file_path) == ("warn", "/p/e.log")
    assert settings("error_log stderr;")[0].log.file_path == ""


def test_mistakes_in_the_main_context() -> None:
    """In nginx's words."""
    _, problems = settings("daemon perhaps; worker_processes many; worker_shutdown_timeout soon;")
    assert problems == [
        'invalid value "perhaps" in "daemon" directive, it must be "on" or "off"',
        'invalid number "many" in "worker_processes" directive',
        '"worker_shutdown_timeout" directive invalid value',
    ]
    assert settings("error_log syslog:server=x;")[1] == [
        '"error_log syslog:server=x" is not written: only files and stderr are'
    ]


def test_pid_file(tmp_path: Path) -> None:
    """It is removed when it is ours, and moves with the configuration."""
    one = PidFile(str(tmp_path / "a"))
    one.write()
    assert read_pid(one.path) == os.getpid()
    one.move(str(tmp_path / "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    (tmp_path / "b").write_text("1\n")
    one.remove()
    assert (tmp_path / "b").exists()
    (tmp_path / "c").write_text("x y")
    with pytest.raises(ValueError, match="x y"):
        read_pid(str(tmp_path / "c"))


def test_state(tmp_path: Path) -> None:
    """One directory for each pid file, whichever way it is named; nobody else may write beside it."""
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)} if os.geteuid() else {}
    if environ:
        (tmp_path / "link").symlink_to(tmp_path)
        one = state_path(str(tmp_path / "a.pid"), environ=environ)
        assert one == state_path(str(tmp_path / "link" / "a.pid"), environ=environ)
        assert one.parent == tmp_path / "daemun"
    assert state_path("/a", environ=environ) != state_path("/b", environ=environ)


def test_places_in_messages() -> None:
    """A problem ends in its file and line, one of `-g` in "command line"."""
    problem = Problem(severity="error", kind="unknown", message="m", place=Place(file="/a", line=3, column=1))
    assert sentence(problem) == "m in /a:3"
    given = Problem(severity="error", kind="unknown", message="m", place=Place(file=COMMAND_LINE, line=1))
    assert sentence(given) == "m in command line"


def test_modules() -> None:
    """A module is named by what its directive is: there, or left out."""
    said = arguments(lambda name: name in {"ssl_certificate", "proxy_pass"})
    assert "--with-http_ssl_module" in said
    assert "--with-http_sub_module" not in said
    assert "--without-http_proxy_module" not in said
    assert "--without-http_ssi_module" in said
