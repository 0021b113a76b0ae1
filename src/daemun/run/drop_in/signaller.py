"""`-s stop|quit|reopen|reload`: a signal to the process that the pid file names, with nginx's messages and status."""

from __future__ import annotations

import os
import signal

from daemun.run.drop_in import messages
from daemun.run.drop_in.messages import StartLog, opening, system_error
from daemun.run.drop_in.pid_file import read_pid

NUMBERS = {
    "stop": signal.SIGTERM,
    "quit": signal.SIGQUIT,
    "reopen": signal.SIGUSR1,
    "reload": signal.SIGHUP,
}


def send(name: str, pid_path: str, log: StartLog) -> int:
    """Send the signal of this name; return the exit status."""
    number = NUMBERS[name]
    try:
        pid = read_pid(pid_path)
    except OSError as error:
        log.say(messages.ERROR, opening(pid_path, error))
        return 1
    except ValueError as found:
        log.say(messages.ERROR, f'invalid PID number "{found}" in "{pid_path}"')
        return 1
    try:
        os.kill(pid, number)
    except OSError as error:
        log.say(messages.ALERT, f"kill({pid}, {int(number)}) failed {system_error(error)}")
        return 1
    return 0
