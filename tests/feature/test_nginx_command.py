"""`daemun nginx` in place of nginx: flags, messages, exit codes, pid file and signals, as scripts and units use them."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
from pathlib import Path

from tests.kit.daemun import gone
from tests.kit.nginx_command import CONFIG, Prefix, listens
from tests.kit.origin import Origin, Visit, answering
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Client

ONE = "http { access_log off; server { listen 127.0.0.1:{port}; location / { return 200 one; } } }\n"
TWO = ONE.replace("one", "two")
BROKEN = "http { access_log off; server { listen 127.0.0.1:{port};\n  proxy_psas http://127.0.0.1:1; } }\n"
_TIME = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"


def test_a_life() -> None:
    """Started, it returns when the pid file is written and it serves; `-s quit` ends it, pid file and engine too."""
    with Prefix(ONE) as prefix:
        pid = prefix.start()
        assert prefix.get().body == b"one"
        assert Path(f"/proc/{pid}/comm").read_text() == "nginx\n"
        assert os.getsid(pid) == pid
        assert prefix.nginx("-s", "quit").returncode == 0
        until(lambda: gone(pid), what="its end")
        assert not (prefix.path / "nginx.pid").exists()
        until(lambda: not prefix.processes(), what="the end of the engine")


def test_in_the_foreground() -> None:
    """With `daemon off` the process that was started is the one that serves; it ends with 0."""
    with Prefix(ONE) as prefix:
        process = prefix.foreground("-g", "daemon off;")
        assert prefix.get().body == b"one"
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) == 0
        assert not (prefix.path / "nginx.pid").exists()


def test_version() -> None:
    """What scripts read: the version of nginx whose language it is, and the modules that are here, on standard error."""
    with Prefix(ONE) as prefix:
        short = prefix.nginx("-v", prefix=False)
        assert short.returncode == 0
        assert re.fullmatch(r"nginx version: nginx/1\.31\.5 \(daemun/\S+\)\n", short.stderr)
        full = prefix.nginx("-V", prefix=False)
        assert full.stderr.startswith(short.stderr)
        assert "TLS SNI support enabled" in full.stderr
        assert " --with-http_ssl_module" in full.stderr
        assert " --without-http_fastcgi_module" in full.stderr
        assert "--without-http_proxy_module" not in full.stderr
        assert "Usage: nginx [-?hvVtTq]" in prefix.nginx("-?", prefix=False).stderr


def test_wrong_flags() -> None:
    """They are refused with nginx's words and status."""
    with Prefix(ONE) as prefix:
        for flags, said in (
            (["-x"], 'nginx: invalid option: "x"\n'),
            (["start"], 'nginx: invalid option: "start"\n'),
            (["-s", "restart"], 'nginx: invalid option: "-s restart"\n'),
            (["-c"], 'nginx: option "-c" requires file name\n'),
        ):
            done = prefix.nginx(*flags, prefix=False)
            assert (done.returncode, done.stderr) == (1, said)


def test_configuration_test() -> None:
    """`-t` says nginx's two sentences and ends with 0, quiet with `-q`; it starts nothing."""
    with Prefix(ONE) as prefix:
        done = prefix.nginx("-t")
        config = prefix.path / CONFIG
        assert done.returncode == 0
        assert done.stderr == (
            f"nginx: the configuration file {config} syntax is ok\n"
            f"nginx: configuration file {config} test is successful\n"
        )
        quiet = prefix.nginx("-tq")
        assert (quiet.returncode, quiet.stderr) == (0, "")
        assert not prefix.processes()


def test_configuration_test_fails() -> None:
    """A broken configuration: `[emerg]` with file and line on standard error and in the error log, status 1."""
    with Prefix(BROKEN) as prefix:
        config = prefix.path / CONFIG
        for flags in (["-t"], ["-tq"], ["-s", "reload"], []):
            done = prefix.nginx(*flags)
            assert done.returncode == 1
            assert f'nginx: [emerg] unknown directive "proxy_psas" in {config}:5\n' in done.stderr
            test = any("t" in flag for flag in flags[:1])
            assert (f"nginx: configuration file {config} test failed\n" in done.stderr) == test
        assert re.search(rf'{_TIME} \[emerg\] \d+#\d+: unknown directive "proxy_psas" in {config}:5', prefix.log)
        assert not (prefix.path / "nginx.pid").exists()


def test_dump() -> None:
    """`-T` writes every file that was read to standard output, each under its name."""
    with Prefix("http { access_log off; include conf.d/*.conf; }\n") as prefix:
        folder = prefix.path / "conf.d"
        folder.mkdir()
        part = folder / "a.conf"
        part.write_text(f"server {{ listen 127.0.0.1:{prefix.port}; return 200; }} # a comment\n")
        done = prefix.nginx("-T")
        config = prefix.path / CONFIG
        assert done.returncode == 0
        assert done.stdout == (
            f"# configuration file {config}:\n{config.read_text()}\n# configuration file {part}:\n{part.read_text()}\n"
        )


def test_given_directives() -> None:
    """Directives of `-g` count like those of the file."""
    with Prefix(ONE, main="events {}\n") as prefix:
        prefix.nginx("-g", "pid other.pid; error_log other.log notice;")
        assert int((prefix.path / "other.pid").read_text()) in prefix.processes()
        assert prefix.get().body == b"one"
        wrong = prefix.nginx("-t", "-g", "demon on;")
        assert wrong.returncode == 1
        assert '[emerg] unknown directive "demon" in command line' in wrong.stderr


def test_reload() -> None:
    """HUP takes the new configuration; a WebSocket and an idle connection of a route that stays notice nothing."""
    text = "http {{ access_log off; server {{ listen 127.0.0.1:{{port}}; location / {{ return 200 {word}; }}\n location /ws {{ {ws} }} }} }}\n"

    def tunnel(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        visit.send(visit.read_until(b"!"))

    with Origin(tunnel) as origin:
        ws = (
            f"proxy_pass http://{origin.address}; proxy_http_version 1.1; "
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        )
        with Prefix(text.format(word="one", ws=ws)) as prefix:
            pid = prefix.start()
            with prefix.client() as idle, prefix.client() as socket:
                assert idle.request().body == b"one"
                socket.send(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                assert socket.read_head().status == 101
                prefix.write(text.format(word="two", ws=ws))
                assert prefix.nginx("-s", "reload").returncode == 0
                until(lambda: prefix.get().body == b"two", what="the new configuration")
                assert idle.request().body == b"two"
                socket.send(b"hello!")
                assert socket.read_exactly(6) == b"hello!"
            assert prefix.pid == pid
            assert "reconfiguring" in prefix.log


def test_broken_reload() -> None:
    """HUP with a broken configuration: it is said in the error log with its place, and the old one goes on."""
    with Prefix(ONE) as prefix:
        pid = prefix.start()
        prefix.write(BROKEN)
        os.kill(pid, signal.SIGHUP)
        prefix.logged("[emerg] ")
        assert f'unknown directive "proxy_psas" in {prefix.path / CONFIG}:5' in prefix.log
        assert prefix.get().body == b"one"
        prefix.write(TWO)
        os.kill(pid, signal.SIGHUP)
        until(lambda: prefix.get().body == b"two", what="the mended configuration")


def test_logs_are_rotated() -> None:
    """logrotate's way: mv, then USR1; lines go to the new files, access log and error log alike."""
    with Prefix("http { access_log access.log; server { listen 127.0.0.1:{port}; return 200 x; } }\n") as prefix:
        pid = prefix.start()
        access, error = prefix.path / "access.log", prefix.path / "error.log"
        assert prefix.get("/before").status == 200
        until(lambda: "/before" in access.read_text(), what="the first line")
        access.rename(prefix.path / "access.log.1")
        error.rename(prefix.path / "error.log.1")
        assert prefix.nginx("-s", "reopen").returncode == 0
        prefix.logged("log files opened again")
        assert prefix.get("/after").status == 200
        until(lambda: access.exists() and "/after" in access.read_text(), what="a line in the new file")
        assert "/after" not in (prefix.path / "access.log.1").read_text()
        assert not gone(pid)


def slow(visit: Visit) -> None:
    """Answers when the test says so."""
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl")
    visit.read_to_end()


def test_quit_is_graceful_and_term_is_fast() -> None:
    """QUIT waits for a response that runs, without new connections; TERM then ends it at once."""
    with (
        Origin(slow) as origin,
        Prefix(
            f"http {{ access_log off; server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://{origin.address}; "
            "proxy_buffering off; } } }\n"
        ) as prefix,
    ):
        pid = prefix.start()
        with prefix.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            client.read_until(b"sl")
            os.kill(pid, signal.SIGQUIT)
            prefix.logged("stopping")
            until(lambda: not listens(prefix.port), what="an end to new connections")
            assert not gone(pid)
            os.kill(pid, signal.SIGTERM)
            until(lambda: gone(pid), what="its end")
        assert not (prefix.path / "nginx.pid").exists()


def test_quit_lets_it_end() -> None:
    """What runs when QUIT comes is answered whole, and then it ends by itself."""
    with (
        Origin() as origin,
        Prefix(
            f"http {{ access_log off; server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://{origin.address}; }} }} }}\n"
        ) as prefix,
    ):
        pid = prefix.start()
        with prefix.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            client.read_until(b"100 Continue\r\n\r\n")
            os.kill(pid, signal.SIGQUIT)
            prefix.logged("stopping")
            client.send(b"hello")
            assert client.read_response().status == 200
        until(lambda: gone(pid), what="its end")


def test_signals_of_later() -> None:
    """USR2 and WINCH are answered with "not yet" in the error log, and change nothing."""
    with Prefix(ONE) as prefix:
        pid = prefix.start()
        for number in (signal.SIGUSR2, signal.SIGWINCH):
            os.kill(pid, number)
            prefix.logged(number.name)
        assert prefix.get().body == b"one"


def test_signal_without_a_process() -> None:
    """`-s` says what nginx says when there is no pid file, a wrong one, or nobody behind it."""
    with Prefix(ONE) as prefix:
        pid_file = prefix.path / "nginx.pid"
        done = prefix.nginx("-s", "stop")
        assert done.returncode == 1
        assert f'nginx: [error] open() "{pid_file}" failed (2: No such file or directory)\n' in done.stderr
        pid_file.write_text("nonsense\n")
        assert f'nginx: [error] invalid PID number "nonsense" in "{pid_file}"\n' in prefix.nginx("-s", "stop").stderr
        ended = subprocess.Popen(["true"])
        ended.wait()
        pid_file.write_text(f"{ended.pid}\n")
        done = prefix.nginx("-s", "stop")
        assert done.returncode == 1
        assert f"nginx: [alert] kill({ended.pid}, 15) failed (3: No such process)\n" in done.stderr


def test_address_in_use() -> None:
    """Status 1 and nginx's sentence; there is no pid file."""
    with Origin(answering()) as other, Prefix(ONE) as prefix:
        port = other.address.rpartition(":")[2]
        prefix.write(ONE.replace("{port}", port))
        done = prefix.nginx()
        assert done.returncode == 1
        assert f"nginx: [emerg] bind() to 127.0.0.1:{port} failed (98: Address already in use)\n" in done.stderr
        assert not (prefix.path / "nginx.pid").exists()
        assert not prefix.processes()


def test_killed_and_started_again() -> None:
    """kill -9 leaves the engine serving; the next start with the same pid file takes it over."""
    with Prefix(ONE) as prefix:
        pid = prefix.start()
        [engine] = [one for one in prefix.processes() if one != pid]
        os.kill(pid, signal.SIGKILL)
        until(lambda: gone(pid), what="its end")
        assert prefix.get().body == b"one"
        prefix.write(TWO)
        assert prefix.start() != pid
        assert prefix.get().body == b"two"
        assert engine in prefix.processes()


def test_units_of_distributions() -> None:
    """What Debian's unit calls: a test, a start, a reload and a stop, each with `-g 'daemon on; master_process on;'`."""
    given = ["-g", "daemon on; master_process on;"]
    with Prefix(ONE) as prefix:
        assert prefix.nginx("-t", "-q", *given).returncode == 0
        pid = prefix.start(*given)
        prefix.write(TWO)
        assert prefix.nginx(*given, "-s", "reload").returncode == 0
        until(lambda: prefix.get().body == b"two", what="the new configuration")
        stop = ["start-stop-daemon", "--quiet", "--stop", "--retry", "QUIT/5", "--name", "nginx"]
        done = subprocess.run([*stop, "--pidfile", str(prefix.path / "nginx.pid")], check=False)
        assert done.returncode == 0
        assert gone(pid)


def test_users_that_change() -> None:
    """A file of `auth_basic_user_file` counts as it is now, without a reload; nginx.conf waits for one."""
    text = (
        "http { access_log off; server { listen 127.0.0.1:{port}; location / "
        "{ auth_basic closed; auth_basic_user_file users; return 200 WORD; } } }\n"
    )
    with Prefix(text.replace("WORD", "one")) as prefix:
        users = prefix.path / "users"
        users.write_text("ann:{PLAIN}first\n")
        prefix.start()

        def status(password: str) -> int:
            word = base64.b64encode(f"ann:{password}".encode()).decode()
            with prefix.client() as client:
                return client.request("GET", "/", f"Authorization: Basic {word}").status

        # `return` is answered before anybody asks for a password.
        prefix.write(text.replace("return 200 WORD;", "try_files /none =204;"))
        assert prefix.nginx("-s", "reload").returncode == 0
        until(lambda: status("first") == 204, what="the new configuration")
        assert status("second") == 401
        prefix.write(text.replace("WORD", "two"))
        users.with_name("users.new").write_text("ann:{PLAIN}second\n")
        users.with_name("users.new").replace(users)
        until(lambda: status("second") == 204, what="the new password")
        assert status("first") == 401


def test_a_download_over_a_reload() -> None:
    """What a client is in the middle of goes on to its end: a file that did not change, and an application's answer."""
    size = 30_000_000
    text = (
        "http {{ access_log off; server {{ listen 127.0.0.1:{{port}}; root {{root}};\n"
        "location /app {{ proxy_pass http://{app}; }} location /word {{ return 200 {word}; }} }} }}\n"
    )
    with Origin(answering(b"a" * size)) as origin, Prefix() as prefix:

        def write(word: str) -> None:
            prefix.write(text.format(app=origin.address, word=word).replace("{root}", str(prefix.path)))

        (prefix.path / "big").write_bytes(b"b" * size)
        write("one")
        prefix.start()
        address = ("127.0.0.1", prefix.port)
        with Client(address, receive_buffer=4096) as file, Client(address, receive_buffer=4096) as app:
            for client, target in ((file, "/big"), (app, "/app")):
                client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert client.read_head().status == 200
            for word in ("two", "three"):
                write(word)
                assert prefix.nginx("-s", "reload").returncode == 0
                until(lambda word=word: prefix.get("/word").text == word, what=word)  # type: ignore[misc]
            assert file.read_exactly(size) == b"b" * size
            assert app.read_exactly(size) == b"a" * size
