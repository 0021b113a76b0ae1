"""`daemun nginx`: Daemun behind nginx's own command line, pid file, signals and messages.

    flags.py ─► command.py ─┬─ version.py        -v -V -h
                            ├─ loaded.py         the configuration: main settings (settings.py), Plan, problems
                            ├─ signaller.py      -s, by the pid file (pid_file.py)
                            └─ serving.py ─► detach.py, source.py ─► supervisor

What scripts, logrotate and service units read is nginx's to the letter: texts (messages.py), exit codes, files. What
the configuration means is `daemun.nginx`'s business.
"""
