"""The command line from outside: help that loads nothing heavy, suggestions, exit statuses."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from daemun.cli.commands import app
from daemun.cli.main import with_command
from daemun.run.options import OWN_FLAGS, Options, read_options

ROOT = Path(__file__).resolve().parents[3]


def daemun(
    *arguments: str, directory: Path | None = None, stdin: int = subprocess.DEVNULL, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with a plain, wide terminal."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **environ}
    command = [sys.executable, "-m", "daemun", *arguments]
    return subprocess.run(
        command,
        stdin=stdin,
        env=env,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command() -> None:
    """--help shows each command with its sentence."""
    shown = daemun("--help")
    assert shown.returncode == 0
    for command in ("run", "proxy", "demo", "trust", "certs", "check", "explain", "ping", "version"):
        assert f"{command} " in shown.stdout
    assert "Usage: daemun" in shown.stdout


@pytest.mark.parametrize("command", ["run", "proxy", "demo", "trust", "certs", "check", "explain", "ping", "version"])
def test_help_of_a_command(command: str) -> None:
    """Each command explains itself."""
    shown = daemun(command, "--help")
    assert shown.returncode == 0
    assert f"Usage: daemun {command}" in shown.stdout


@pytest.mark.parametrize(("typed", "meant"), [("chekc", "check"), ("rnu", "run"), ("prxy", "proxy"), ("dmeo", "demo")])
def test_mistyped_command(typed: str, meant: str) -> None:
    """A mistyped command suggests the right one."""
    shown = daemun(typed)
    assert shown.returncode == 2
    assert f"Did you mean '{meant}'" in shown.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--providers.docker=true"], ["run", "--providers.docker=true"]),
        (["-c", "a.toml"], ["run", "-c", "a.toml"]),
        (["traefik", "--ping"], ["run", "--ping"]),
        (["traefik", "healthcheck"], ["healthcheck"]),
        (["run", "--ping"], ["run", "--ping"]),
        (["chekc"], ["chekc"]),
        (["--version"], ["--version"]),
        (["-h"], ["-h"]),
    ],
)
def test_no_command_means_run(typed: list[str], meant: list[str]) -> None:
    """Flags without a command run; so does a list of words written for Traefik's image."""
    assert with_command(typed) == meant


def test_nothing_typed(tmp_path: Path) -> None:
    """Where nobody looks on, nothing typed is `run`: here nothing is configured, which is said, with where it looked."""
    shown = daemun(HOME=str(tmp_path), DAEMUN_ENGINE="/bin/false", directory=tmp_path)
    assert shown.returncode == 1
    assert "nothing is configured" in shown.stderr


def test_nothing_typed_at_a_terminal(tmp_path: Path) -> None:
    """A person who types nothing, where nothing is configured, is shown the help; what is configured runs."""
    ours, theirs = pty.openpty()
    try:
        shown = daemun(directory=tmp_path, stdin=theirs, HOME=str(tmp_path), DAEMUN_ENGINE="/nowhere")
        assert "Usage: daemun" in shown.stdout + shown.stderr
        (tmp_path / "traefik.toml").write_text("")
        shown = daemun(directory=tmp_path, stdin=theirs, HOME=str(tmp_path), DAEMUN_ENGINE="/nowhere")
        assert shown.stderr == "daemun: DAEMUN_ENGINE names /nowhere, which is no program\n"
    finally:
        os.close(ours)
        os.close(theirs)


def test_mistyped_flags(tmp_path: Path) -> None:
    """Each is shown with what it was meant to be; options of the command itself too."""
    shown = daemun(
        "--entrypoints.web.addres=:80", "--thread=2", "--state-dir", str(tmp_path), DAEMUN_ENGINE="/bin/false"
    )
    assert shown.returncode == 1
    assert "--entrypoints.web.addres: error: unknown flag" in shown.stderr
    assert "did you mean '--entrypoints.web.address'?" in shown.stderr
    assert "did you mean '--threads'?" in shown.stderr
    assert not (tmp_path / "control.sock").exists()


def test_flags_of_traefik_with_an_nginx_conf(tmp_path: Path) -> None:
    """Flags that mean nothing to the file's language are an error, to `run` and to `check`."""
    (tmp_path / "n.conf").write_text("events {}\nhttp { server { listen 8123; } }\n")
    for words in (["run", "-c", "n.conf", "--state-dir", "s"], ["check", "n.conf"], ["ping", "-c", "n.conf"]):
        shown = daemun(*words, "--log.level=INFO", DAEMUN_ENGINE="/bin/false", directory=tmp_path)
        assert shown.returncode == 1
        assert "nginx.conf" in shown.stderr + shown.stdout


def test_check_takes_the_same(tmp_path: Path) -> None:
    """Files, flags and variables are judged together; without a file, the one that would be found."""
    (tmp_path / "daemun.toml").write_text('[entryPoints.web]\naddress = ":80"\n[log]\nlevel = "LOUD"\n')
    home = str(tmp_path)
    shown = daemun("check", directory=tmp_path, HOME=home)
    assert shown.returncode == 1
    assert "daemun.toml:4:9: error" in shown.stdout
    shown = daemun("check", "--log.level", "INFO", "daemun.toml", TRAEFIK_LOG_LEVELS="x", directory=tmp_path, HOME=home)
    assert shown.returncode == 1
    assert "TRAEFIK_LOG_LEVELS: error" in shown.stdout
    assert "1 file: 1 error" in shown.stdout
    shown = daemun("check", "--log.level=INFO", "--providers.file=false", directory=tmp_path, HOME=home)
    assert shown.returncode == 0
    assert "daemun.toml: 0 errors, 1 warning" in shown.stdout


def test_own_flags_are_those_of_the_commands() -> None:
    """Whoever mistypes an option of `run` is told its name, which those who tell cannot ask the command for."""
    group = typer.main.get_group(app)
    run = group.commands["run"]
    spelled = {name for parameter in run.params for name in parameter.opts if name.startswith("--")}
    assert spelled - {"--configfile"} == set(OWN_FLAGS)


def test_version() -> None:
    """`version` and --version answer, with an engine or without."""
    assert daemun("--version").stdout.startswith("daemun ")
    shown = daemun("version", DAEMUN_ENGINE="/nowhere")
    assert shown.returncode == 0
    assert "no engine" in shown.stdout


def test_run_without_an_engine(tmp_path: Path) -> None:
    """What is missing is said in one line, and the status is 1."""
    (tmp_path / "daemun.toml").write_text("")
    shown = daemun("run", "--config", str(tmp_path / "daemun.toml"), DAEMUN_ENGINE="/nowhere")
    assert shown.returncode == 1
    assert shown.stderr == "daemun: DAEMUN_ENGINE names /nowhere, which is no program\n"


@pytest.mark.parametrize("option", ["--config", "--configFile", "--configfile", "-c"])
def test_run_with_a_broken_file(tmp_path: Path, option: str) -> None:
    """A static file that cannot be used is shown with its place, and nothing is started."""
    file = tmp_path / "daemun.toml"
    file.write_text('[entryPoints.web]\naddres = ":80"\n')
    shown = daemun("run", option, str(file), "--state-dir", str(tmp_path / "s"), DAEMUN_ENGINE="/bin/false")
    assert shown.returncode == 1
    assert f"{file}:2:1: error: unknown option 'addres'" in shown.stderr
    assert "did you mean 'address'?" in shown.stderr
    assert not (tmp_path / "s" / "control.sock").exists()


def test_proxy_with_a_broken_address(tmp_path: Path) -> None:
    """The words of a command line are checked like a file's."""
    shown = daemun(
        "proxy", "--listen", "nonsense", "--to", ":8000", "--state-dir", str(tmp_path), DAEMUN_ENGINE="/bin/false"
    )
    assert shown.returncode == 1
    assert "'nonsense' is no address" in shown.stderr


def test_engine_that_ends_at_once(tmp_path: Path) -> None:
    """An engine that does not come up ends the start with its reason."""
    shown = daemun(
        "proxy", "--listen", "127.0.0.1:0", "--to", ":9", "--state-dir", str(tmp_path), DAEMUN_ENGINE="/bin/false"
    )
    assert shown.returncode == 1
    assert "the engine exited with 1 before it was ready" in shown.stderr


def test_options_survive_the_hand_over() -> None:
    """What the command line chose is what the running process reads."""
    options = Options(listen=(":80", "[::1]:81"), to=("http://가:1",), strategy="p2c", threads=3, replace=True)
    assert read_options(options.command()[-1]) == options
    options = Options(flags=("--entrypoints.web.address", ":80", "--ping"))
    assert read_options(options.command()[-1]) == options
    assert read_options(Options(config="a b.toml").command()[-1]) == Options(config="a b.toml")


def test_the_running_process_is_lean(tmp_path: Path) -> None:
    """What stays resident loads nothing that only the command line needs."""
    options = Options(config=str(tmp_path / "none.toml"), state_dir=str(tmp_path))
    python, *rest = options.command()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "DAEMUN_ENGINE": "/bin/false"}
    command = [python, "-X", "importtime", *rest]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "daemun.supervisor" in loaded
    assert not {name for name in loaded if name.split(".")[0] in {"typer", "click", "rich", "pygments"}} - {"rich"}
