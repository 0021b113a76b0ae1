"""A configuration, read and lowered for `daemun nginx`: what is served, what the process does, what is wrong.

The border to `daemun.nginx`: its reader and its lowering are called here and nowhere else in this package. Like nginx it
refuses a configuration as a whole; certificates are read with it, and again with the next reload.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemun.engine.bundle import Bundle, bundle_of
from daemun.engine.locate import find_engine
from daemun.errors import ConfigError, Problem
from daemun.needs import AtHand, Needs
from daemun.nginx.catalogue import catalogue
from daemun.nginx.lower import Draft, lower
from daemun.nginx.read import read, read_text
from daemun.plan.log import File
from daemun.plan.scalars import Id
from daemun.run.drop_in.flags import Flags
from daemun.run.drop_in.messages import COMMAND_LINE, opening
from daemun.run.drop_in.paths import ACCESS_LOG, Paths
from daemun.run.drop_in.settings import Settings, settings_of
from daemun.run.growing import growing

if TYPE_CHECKING:
    from daemun.certificates.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`bundle` is None when the configuration cannot be used; `files` are all that were read, in order.

    `logs` are the files of access logs, which the engine opens.
    """

    settings: Settings
    bundle: Bundle | None
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]
    logs: tuple[str, ...]


@growing()
def load(flags: Flags, paths: Paths) -> Loaded:
    """Read and lower."""
    found = read(Path(paths.config))
    given = read_text(flags.given, file=COMMAND_LINE)
    whole = replace(
        found,
        directives=(*given.directives, *found.directives),
        problems=(*given.problems, *found.problems),
    )
    settings, problems = settings_of(whole.directives, paths)
    bundle: Bundle | None = None
    logs: tuple[str, ...] = ()
    try:
        draft = lower(whole, prefix=paths.prefix, unasked_log=ACCESS_LOG)
    except ConfigError as error:
        problems = (*problems, *error.problems)
    else:
        bundle, wrong = _bundle(draft)
        problems = (*problems, *draft.problems, *wrong)
        logs = tuple(log.sink.path for log in draft.whole.logs.values() if isinstance(log.sink, File))
    if any(problem.is_error for problem in problems):
        bundle = None
    files = tuple(path for path in found.files if path.is_file())
    return Loaded(settings=settings, bundle=bundle, problems=problems, files=files, logs=logs)


def unwritable(loaded: Loaded) -> str:
    """Return why a log cannot be written, in nginx's words; empty when all can. They are made, as nginx does."""
    for path in filter(None, (loaded.settings.log.file_path, *loaded.logs)):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a FIFO that nobody reads yet
                return opening(path, error)
    return ""


def tried(loaded: Loaded) -> str:
    """Return why the engine would refuse it, found without binding anything; empty when it would not."""
    bundle = loaded.bundle
    if bundle is None:
        return ""
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


def _bundle(draft: Draft) -> tuple[Bundle, tuple[Problem, ...]]:
    needs = draft.needs
    secrets = {name: content.decode(errors="replace") for name, content in draft.secrets.items()}
    if not needs.pairs and not needs.roots and not needs.terminates:
        plan = draft.plan(AtHand(certificates={}))
        return bundle_of(plan, materials={}, roots={}, secrets=secrets), ()
    at_hand, materials, roots, problems = _gathered(needs)
    return bundle_of(draft.plan(at_hand), materials=materials, roots=roots, secrets=secrets), problems


def _gathered(needs: Needs) -> tuple[AtHand, Mapping[Id, Material], Mapping[Id, str], tuple[Problem, ...]]:
    """Read the files of certificates; what cannot be read is an error, as it is for nginx."""
    from datetime import UTC, datetime

    from daemun.certificates.gather import Gatherer
    from daemun.certificates.local import default_data_dir

    now = datetime.now(UTC)
    gatherer = Gatherer(data_dir=default_data_dir())
    found = gatherer.read(needs, now=now)
    gathered = gatherer.gather(needs, found, {}, now=now)
    return gathered.at_hand, gathered.materials, gathered.secrets, gathered.problems


def _put(directory: Path, name: str, content: str) -> None:
    (directory / name.replace("/", "%2F")).write_text(content)
