"""`daemun nginx FLAGS`, in nginx's order: options, version, configuration, test, signal; only then something runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daemun.run.drop_in import messages
from daemun.run.drop_in.flags import Flags, WrongFlags, read_flags
from daemun.run.drop_in.messages import StartLog, opening, tell
from daemun.run.drop_in.paths import Paths, paths_of

if TYPE_CHECKING:
    from daemun.run.drop_in.loaded import Loaded


def nginx(words: Sequence[str]) -> int:
    """Do what the words ask for; return the exit status."""
    try:
        flags = read_flags(words)
    except WrongFlags as wrong:
        tell(str(wrong))
        return 1
    if flags.version:
        _say_version(flags)
        if not flags.test:
            return 0
    paths = paths_of(flags)
    return _with_configuration(flags, paths, StartLog(paths.error_log))


def _say_version(flags: Flags) -> None:
    from daemun.run.drop_in.version import version_text

    def is_served(directive: str) -> bool:
        from daemun.run.drop_in.loaded import is_served

        return is_served(directive)

    sys.stderr.write(version_text(flags, is_served))


def _with_configuration(flags: Flags, paths: Paths, log: StartLog) -> int:
    from daemun.run.drop_in.loaded import load

    loaded = load(flags, paths)
    log.problems(loaded.problems)
    if loaded.configuration is None:
        return _failed(flags, paths)
    if flags.test:
        return _tested(flags, paths, loaded, log)
    if flags.signal is not None:
        from daemun.run.drop_in.signaller import send

        return send(flags.signal, loaded.settings.pid, log)
    from daemun.run.drop_in.serving import serve

    return serve(flags, paths, loaded, log)


def _failed(flags: Flags, paths: Paths) -> int:
    if flags.test:
        tell(f"configuration file {paths.config} test failed")
    return 1


def _tested(flags: Flags, paths: Paths, loaded: Loaded, log: StartLog) -> int:
    from daemun.run.drop_in.loaded import tried, unwritable
    from daemun.run.drop_in.pid_file import PidFile

    if not flags.quiet:
        tell(f"the configuration file {paths.config} syntax is ok")
    try:
        PidFile(loaded.settings.pid).check()
    except OSError as error:
        log.say(messages.EMERG, opening(loaded.settings.pid, error))
        return _failed(flags, paths)
    if wrong := unwritable(loaded) or tried(loaded):
        log.say(messages.EMERG, wrong)
        return _failed(flags, paths)
    if not flags.quiet:
        tell(f"configuration file {paths.config} test is successful")
    if flags.dump:
        _dump(loaded)
    return 0


def _dump(loaded: Loaded) -> None:
    out = sys.stdout.buffer
    for file in loaded.files:
        out.write(f"# configuration file {file}:\n".encode())
        out.write(file.read_bytes() + b"\n")
    out.flush()
