"""What nginx's own suite has found: each fact with its configuration, through `daemun nginx`."""

from __future__ import annotations

import socket
import ssl
import subprocess

from tests.kit.nginx_command import Prefix
from tests.kit.origin import Origin, answering
from tests.kit.waiting import LIMIT
from tests.kit.wire import Client

HTTP = "http {{ access_log off; {upstreams}\n server {{ listen 127.0.0.1:{{port}}; {text} }} }}\n"


def served(text: str, upstreams: str = "") -> Prefix:
    """A prefix whose server says this."""
    return Prefix(HTTP.format(text=text, upstreams=upstreams))


def test_fields_beside_a_servers_return() -> None:
    """`add_header` of a server holds for what its `return` answers."""
    with served("add_header Strict-Transport-Security max-age=1; return 301 https://example.org/;") as prefix:
        prefix.start()
        answer = prefix.get()
        assert (answer.status, answer.get("Strict-Transport-Security")) == (301, "max-age=1")


def test_white_space_around_a_value() -> None:
    """A line break at the end of a value is no part of it; one in the middle is never written."""
    with served('add_header X-Plain "a $arg_x\\n"; add_header X-Broken "a\\nb"; location / { return 204; }') as prefix:
        prefix.start()
        answer = prefix.get("/?x=1")
        assert (answer.get("X-Plain"), answer.get("X-Broken")) == ("a 1", None)


def test_everybody_who_was_asked() -> None:
    """$upstream_addr and $upstream_status name every server in order; where nobody is left, the upstream."""
    with Origin(answering(status="404 Not Found")) as one, Origin(answering(b"found")) as two:
        upstreams = f"upstream u {{ server {one.address}; server {two.address}; }} upstream none {{ server {one.address} down; }}"
        seen = 'add_header X-Asked "$upstream_addr $upstream_status" always;'
        text = (
            f"location / {{ {seen} proxy_pass http://u; proxy_next_upstream http_404; }}"
            f"location /none {{ {seen} proxy_pass http://none; }}"
        )
        with served(text, upstreams) as prefix:
            prefix.start()
            answers = [prefix.get() for _ in range(4)]
            assert {answer.body for answer in answers} == {b"found"}
            both = f"{one.address}, {two.address} 404, 200"
            # What is not there is no failure: the first server is asked again and again.
            assert [answer.get("X-Asked") for answer in answers].count(both) == 2
            assert prefix.get("/none").get("X-Asked") == "none 502"


def test_last_answer_where_others_are_down() -> None:
    """The answer of the only server that may be asked goes to the client, whatever proxy_next_upstream says."""
    with Origin(answering(b"gone", status="404 Not Found")) as origin:
        upstreams = f"upstream u {{ server {origin.address}; server 127.0.0.1:1 down; }}"
        with served("location / { proxy_pass http://u; proxy_next_upstream http_404; }", upstreams) as prefix:
            prefix.start()
            assert (prefix.get().status, prefix.get().body) == (404, b"gone")


def test_redirect_to_the_slash() -> None:
    """A location that passes requests on answers its path without the slash: escaped, before regular expressions."""
    with Origin() as origin:
        text = (
            f'location "/a b/" {{ proxy_pass http://{origin.address}; }} location ~ ^/a {{ return 200 expression; }}'
            "location / { return 200 rest; }"
        )
        with served(text) as prefix:
            prefix.start()
            answer = prefix.get("/a%20b?c=d")
            assert answer.status == 301
            assert answer.get("Location") == f"http://example.org:{prefix.port}/a%20b/?c=d"


def test_request_body() -> None:
    """$request_body is what went upstream, when it was in memory."""
    with Origin() as origin:
        text = f'client_body_buffer_size 1k; client_max_body_size 0; location / {{ add_header X-Body "$request_body"; proxy_pass http://{origin.address}; }}'
        with served(text) as prefix:
            prefix.start()
            with prefix.client() as client:
                assert client.request("POST", body=b"hello").get("X-Body") == "hello"
                assert client.request("POST", body=b"x" * 300_000).get("X-Body") is None
                assert client.request().get("X-Body") is None


def test_method_from_a_variable() -> None:
    """`proxy_method` may hold variables; what is no method leaves the client's."""
    with (
        Origin() as origin,
        served(f"location / {{ proxy_method $arg_m; proxy_pass http://{origin.address}; }}") as prefix,
    ):
        prefix.start()
        for target in ("/?m=REPORT", "/?m=a(b"):
            prefix.get(target)
        assert [request.method for request in origin.requests] == ["REPORT", "GET"]


def test_connection_that_ends() -> None:
    """`proxy_set_header Connection` from a variable ends the upstream connection where it says close."""
    with (
        Origin() as origin,
        served(f"location / {{ proxy_set_header Connection $arg_c; proxy_pass http://{origin.address}; }}") as prefix,
    ):
        prefix.start()
        for target in ("/?c=close", "/?c=other"):
            prefix.get(target)
        assert [request.get("Connection") for request in origin.requests] == ["close", None]


def test_pipelined() -> None:
    """$pipe tells a request that came before the response to the one before it."""
    with served("location / { return 200 $pipe; }") as prefix:
        prefix.start()
        with prefix.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
            assert [client.read_response().body for _ in range(2)] == [b".", b"p"]


def test_hosts_with_empty_labels() -> None:
    """A Host that is a dot, or has an empty label, is refused; a dot at the end is not."""
    with served("location / { return 200 $host; }") as prefix:
        prefix.start()
        for host, status in ((".", 400), ("a..b", 400), ("a.b.", 200), ("[v1.a:b]", 200), ("[a..b]", 400)):
            with prefix.client() as client:
                assert client.request(host=host).status == status, host


def test_certificate_of_version_1() -> None:
    """`openssl req -x509` without extensions makes certificates of version 1: they are shown, and taken unverified."""
    text = (
        "location / { return 200 inner; } } server { listen 127.0.0.1:{port2} ssl; "
        "ssl_certificate v1.crt; ssl_certificate_key v1.key; location / { return 200 secure; } } "
        "server { server_name outer; listen 127.0.0.1:{port}; location / { proxy_pass https://127.0.0.1:{port2}; }"
    )
    with Prefix(HTTP.replace("{text}", "@").format(upstreams="").replace("@", text)) as prefix:
        config = prefix.path / "openssl.cnf"
        config.write_text("[req]\ndistinguished_name = dn\n[dn]\n")
        files = ["-keyout", "v1.key", "-out", "v1.crt", "-config", str(config)]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=v1", "-days", "2", *files]
        subprocess.run(command, cwd=prefix.path, check=True, capture_output=True)
        prefix.start()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", prefix.port2), LIMIT) as plain,
            context.wrap_socket(plain) as secure,
        ):
            secure.sendall(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            assert b"secure" in b"".join(iter(lambda: secure.recv(65536), b""))
        with Client(("127.0.0.1", prefix.port)) as client:
            assert client.request(host="outer").body == b"secure"


def test_a_host_that_names_none() -> None:
    """An empty Host is refused as nginx does; a redirect for a request without any leads to the address it came to."""
    with served("server_name own.test; location /a { return 301 /b; }") as prefix:
        prefix.start()
        with prefix.client() as client:
            client.send(b"GET /a HTTP/1.1\r\nHost: \r\n\r\n")
            assert client.read_response().status == 400
        with prefix.client() as client:
            client.send(b"GET /a HTTP/1.0\r\n\r\n")
            assert client.read_response().get("Location") == f"http://127.0.0.1:{prefix.port}/b"


def test_refresh_stays_a_path() -> None:
    """What proxy_redirect makes a path is absolute in Location, and stays one in Refresh."""
    with (
        Origin(answering(b"", "Refresh: 3; url=http://inner/x", "Location: http://inner/x")) as origin,
        served(f"location / {{ proxy_pass http://{origin.address}; proxy_redirect http://inner /a; }}") as prefix,
    ):
        prefix.start()
        answer = prefix.get()
        assert answer.get("Location") == f"http://example.org:{prefix.port}/a/x"
        assert answer.get("Refresh") == "3; url=/a/x"


def test_cookies_of_an_upstream() -> None:
    """$upstream_cookie_NAME is what the first line that sets it says, without blanks around it."""
    fields = ("Set-Cookie: sid = one two ; Path=/", "Set-Cookie: n=a,b", "Set-Cookie: n=c")
    with Origin(answering(b"", *fields)) as origin:
        seen = 'add_header X-Seen "<$upstream_cookie_sid><$upstream_cookie_n><$upstream_cookie_none>";'
        with served(f"location / {{ {seen} proxy_pass http://{origin.address}; }}") as prefix:
            prefix.start()
            assert prefix.get().get("X-Seen") == "<one two><a,b><>"


def test_break_after_a_rewrite() -> None:
    """What was rewritten before a `break` goes on as it is: there is no prefix left for proxy_pass to replace."""
    with Origin() as origin:
        text = f"location /a {{ rewrite ^ /b; break; proxy_pass http://{origin.address}/c; }}"
        with served(text) as prefix:
            prefix.start()
            assert prefix.get("/a").status == 200
            assert origin.requests[0].target == "/b"


def test_a_listing_has_its_charset() -> None:
    """The page says the location's charset; names are cut by its characters, by bytes where it names none."""
    with served("root .; autoindex on; location /utf8/ { root .; charset UTF-8; }") as prefix:
        for folder in ("bytes", "utf8"):
            (prefix.path / folder).mkdir()
            (prefix.path / folder / ("ф" * 60)).touch()
        prefix.start()
        (prefix.path / "utf8" / "a.txt").touch()
        assert prefix.get("/utf8/a.txt").get("Content-Type") == "text/plain; charset=UTF-8"
        plain, utf8 = prefix.get("/bytes/"), prefix.get("/utf8/")
        assert (plain.get("Content-Type"), utf8.get("Content-Type")) == ("text/html", "text/html; charset=UTF-8")
        assert f">{'ф' * 47}..&gt;</a>".encode() in utf8.body
        assert b">" + "ф".encode() * 23 + "ф".encode()[:1] + b"..&gt;</a>" in plain.body
