"""A configuration, read and lowered for `daemun nginx`: what is served, what the process does, what is wrong.

    nginx.conf, -g ─ load ─► Loaded ─┬─ tried ───► -t: certificates are read, the engine builds it and binds nothing
                                     └─ source.py ─► Lowerer (daemun.run.lowering), as in `daemun run`

The border to `daemun.nginx`: its reader and its lowering are called here and nowhere else in this package. Like nginx it
refuses a configuration as a whole.
"""

from __future__ import annotations

import errno
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from daemun.certificates.gather import Gatherer
from daemun.certificates.local import default_data_dir
from daemun.engine.locate import find_engine
from daemun.engine.ownership import make_log
from daemun.engine_terms import EngineTerms
from daemun.errors import ConfigError, Problem
from daemun.nginx.catalogue import catalogue
from daemun.nginx.configuration import ErrorLogTerms, NginxConfiguration
from daemun.nginx.lower import lower
from daemun.nginx.read import Read, read, read_text
from daemun.plan.log import File
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.messages import COMMAND_LINE, opening
from daemun.run.drop_in.paths import ACCESS_LOG, Paths
from daemun.run.drop_in.settings import Settings, settings_of
from daemun.run.growing import growing
from daemun.run.lowering import look, lower_all


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIn(NginxConfiguration):
    """nginx.conf where the main context says how the process behaves."""

    settings: Settings

    @property
    def log(self) -> ErrorLogTerms:
        """How the control plane logs: as nginx."""
        return self.settings.log

    @property
    def engine(self) -> EngineTerms:
        """One thread where `worker_processes` says nothing: nginx's default."""
        return replace(self.draft.engine, threads=self.settings.threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`configuration` is None when it cannot be used; `files` are all that were read, in order.

    `logs` are the files of access logs, which the engine opens. `again` lowers what was read once more, for when files
    beside the configuration (users of auth_basic) change; None without such files, and what was read is forgotten.
    """

    settings: Settings
    configuration: DropIn | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]
    logs: tuple[str, ...]
    again: Callable[[], Loaded] | None


@growing()
def load(flags: Flags, paths: Paths) -> Loaded:
    """Read, lower, and look at the files of certificates: what cannot be read is an error, as it is for nginx."""
    found = read(Path(paths.config))
    given = read_text(flags.given, file=COMMAND_LINE)
    whole = replace(
        found,
        directives=(*given.directives, *found.directives),
        problems=(*given.problems, *found.problems),
    )
    return _lowered(whole, paths)


def _lowered(whole: Read, paths: Paths) -> Loaded:
    settings, problems = settings_of(whole.directives, paths)
    configuration: DropIn | None = None
    logs: tuple[str, ...] = ()
    try:
        draft = lower(whole, prefix=paths.prefix, unasked_log=ACCESS_LOG)
    except ConfigError as error:
        problems = (*problems, *error.problems)
    else:
        configuration = DropIn(draft=draft, directory=default_data_dir(), settings=settings)
        certificates = look(configuration, gatherer=Gatherer(data_dir=default_data_dir())).read.problems
        problems = (*problems, *draft.problems, *certificates)
        logs = tuple(log.sink.path for log in draft.whole.logs.values() if isinstance(log.sink, File))
    if any(problem.is_error for problem in problems):
        configuration = None
    files = tuple(path for path in whole.files if path.is_file())
    return Loaded(
        settings=settings,
        configuration=configuration,
        problems=problems,
        files=files,
        logs=logs,
        again=(lambda: _lowered(whole, paths)) if configuration is not None and configuration.draft.files else None,
    )


def unwritable(loaded: Loaded) -> str:
    """Return why a log cannot be written, in nginx's words; empty when all can. They are made, as nginx does."""
    account = loaded.configuration.engine.account if loaded.configuration is not None else None
    for path in filter(None, (loaded.settings.log.file_path, *loaded.logs)):
        try:
            make_log(path, account)
        except OSError as error:
            if error.errno != errno.ENXIO:  # a FIFO that nobody reads yet
                return opening(path, error)
    return ""


def tried(loaded: Loaded) -> str:
    """Return why the engine would refuse it, found without binding anything; empty when it would not."""
    if loaded.configuration is None:
        return ""
    gatherer = Gatherer(data_dir=default_data_dir())
    bundle = lower_all(look(loaded.configuration, gatherer=gatherer), gatherer=gatherer).wanted.bundle
    with tempfile.TemporaryDirectory(prefix="daemun-") as made:
        directory = Path(made)
        plan = directory / "plan.json"
        plan.write_bytes(bundle.plan)
        for name, pair in bundle.certificates.items():
            _put(directory, f"{name}.crt", pair.chain)
            _put(directory, f"{name}.key", pair.key)
        for name, content in bundle.secrets.items():
            _put(directory, name, content)
        command = [str(find_engine()), "--check", str(plan), "--secrets", made]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    try:
        said: str = json.loads(done.stderr)["error"]
    except (ValueError, KeyError):
        return done.stderr.strip()
    return said.removeprefix(f"{plan}: ")


def is_served(directive: str) -> bool:
    """Tell whether a directive works here."""
    return any(shape.verdict == "yes" for shape in catalogue().get(directive, ()))


def _put(directory: Path, name: str, content: str) -> None:
    (directory / name.replace("/", "%2F")).write_text(content)
