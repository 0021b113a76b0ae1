"""What the engine's process is to be: `user`, `worker_processes`, and where temporary files stand.

Facts (nginx's ngx_core_module): `user` counts only when root starts it; the group is the user's own unless it is named.
Decision: as in nginx what faces the network runs as that user, and without `user` as whoever started it
(docs/decisions/account.md). Of the paths for temporary
files, of which nginx has one a module, the first that `http` names counts for all.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Sequence

from daemun.engine_terms import Account, EngineTerms
from daemun.errors import Problem, Severity
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import complain

_TEMP_PATHS = ("client_body_temp_path", "proxy_temp_path")


def engine_terms(main: Level, http: Level, making: Making) -> EngineTerms:
    """Return what is said of the process."""
    return EngineTerms(threads=_threads(main, making), account=_account(main, making), temp_dir=_temp_dir(http, making))


def ignored_user(directives: Sequence[Directive], *, severity: Severity) -> list[Problem]:
    """Return nginx's remark on a `user` that has no effect, for whoever starts it is not root."""
    if os.geteuid() == 0:
        return []
    message = 'the "user" directive makes sense only if the master process runs with super-user privileges, ignored'
    return [
        Problem(severity=severity, kind="idle", message=message, place=one.place, subject=one.name)
        for one in directives
        if one.name == "user"
    ]


def _threads(main: Level, making: Making) -> int | None:
    """Return what `worker_processes` says; None for one a core, which is also what nothing said means here."""
    said = main.last("worker_processes")
    if said is None or said.args[0] == "auto":
        return None
    if not said.args[0].isdigit() or said.args[0] == "0":
        complain(making, said, "invalid number", argument=0, remedy="a number, or auto")
        return None
    return int(said.args[0])


def _account(main: Level, making: Making) -> Account | None:
    said = main.last("user")
    if said is None or os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(said.args[0])
    except KeyError:
        remedy = "name a user of this machine (see /etc/passwd), or leave it out: then it runs as root"
        complain(making, said, f'getpwnam("{said.args[0]}") failed', argument=0, kind="reference", remedy=remedy)
        return None
    gid = user.pw_gid
    if len(said.args) > 1:
        try:
            gid = grp.getgrnam(said.args[1]).gr_gid
        except KeyError:
            remedy = "name a group of this machine (see /etc/group)"
            complain(making, said, f'getgrnam("{said.args[1]}") failed', argument=1, kind="reference", remedy=remedy)
            return None
    if user.pw_uid == 0:
        return None
    groups = os.getgrouplist(user.pw_name, gid)
    return Account(name=user.pw_name, uid=user.pw_uid, gid=gid, groups=(gid, *(one for one in groups if one != gid)))


def _temp_dir(http: Level, making: Making) -> str:
    said = next((found for name in _TEMP_PATHS if (found := http.last(name)) is not None), None)
    return "" if said is None else making.file(said.args[0])
