"""Nothing leads out of a root: dots, encoded or not, NULs, links where they are refused, variables, aliases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.file_tree import TYPES, make_tree, serving
from tests.kit.plans import Json, files, plan, route, text
from tests.kit.wire import Client

SECRET = b"outside"
CLIMBS = [
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/.%2e/secret.txt",
    "/%2E%2E%2Fsecret.txt",
    "/..%2fsecret.txt",
    "/sub%2f..%2f..%2fsecret.txt",
    "/sub/..%2f..%2fsecret.txt",
    "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "/....//secret.txt",
    "/..;/secret.txt",
    "//../secret.txt",
    "/./../secret.txt",
    "/%252e%252e/secret.txt",
    "/..%00/secret.txt",
    "/hello.txt%00/../../secret.txt",
    "/%00/../secret.txt",
    "/..%c0%afsecret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/sub/..",
    "/..",
    "/%2e%2e",
    "/%2e%2e/",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, and beside it what nobody may see, whose name the root's begins."""
    above = tmp_path_factory.mktemp("above")
    (above / "secret.txt").write_bytes(SECRET)
    (above / "root-secret.txt").write_bytes(SECRET)
    root = make_tree(above / "root")
    (root / "to-secret").symlink_to("../secret.txt")
    (root / "to-above").symlink_to("..")
    (root / "to-absolute").symlink_to(above / "secret.txt")
    (root / "own").symlink_to("hello.txt")
    (root / "foreign").symlink_to("hello.txt")
    if os.geteuid() == 0:
        os.chown(root / "foreign", 65534, 65534, follow_symlinks=False)
    return root


def encoded(action: Json) -> Json:
    """The same as Traefik's language reads: paths stay encoded."""
    return plan("127.0.0.1:1", routes={"app": route(action)}, mime_types={"types": TYPES})


@pytest.fixture(scope="module", params=["decoded", "encoded"])
def engine(request: pytest.FixtureRequest, tree: Path) -> Iterator[Engine]:
    """Files at the root of the path, whatever the form of paths."""
    action = {"files": files(str(tree))}
    with Engine(serving({"/": action}) if request.param == "decoded" else encoded(action), threads=1) as engine:
        yield engine


@pytest.mark.parametrize("target", CLIMBS)
def test_dots_and_nuls(engine: Engine, target: str) -> None:
    """However it is written, a path above the root is refused or names nothing; nothing of outside is said."""
    with engine.client() as client:
        response = client.request("GET", target)
        assert response.status in {200, 301, 400, 403, 404}
        assert SECRET not in response.body
        if response.status == 200:
            assert response.body == b"<p>home</p>", "only the root's own index"


def test_bytes_that_http_forbids_in_a_target(engine: Engine) -> None:
    """A raw NUL in the target is no request."""
    with engine.client() as client:
        client.send(b"GET /hello.txt\0 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_response().status == 400


def test_an_alias_without_its_slash(tree: Path) -> None:
    """`/static../secret.txt` of `location /static { alias ROOT/; }` stays within, where nginx would not."""
    action = {"files": files(f"{tree}/", alias={"prefix": "/static"})}
    with Engine(serving({"/static": action})) as engine, engine.client() as client:
        assert client.request("GET", "/static../secret.txt").status == 404
        assert client.request("GET", "/static..").status == 404
        assert client.request("GET", "/static/hello.txt").status == 200


def test_a_variable_brings_no_dots(tree: Path) -> None:
    """What a client says becomes part of a name, never a way out: in root, index, and candidates."""
    argument = [{"argument": "name"}]
    served = {**files(""), "root": [*text(f"{tree}/"), *argument]}
    index = files(str(tree), index=[argument])
    tries = {
        "files": files(str(tree)),
        "candidates": [[*text("/"), *argument]],
        "found": None,
        "otherwise": {"fail": "not_found"},
    }
    routes = {"/": {"files": served}, "/sub/": {"files": index}, "/try": {"try_files": tries}}
    with Engine(serving(routes)) as engine, engine.client() as client:
        assert client.request("GET", "/x.css?name=sub").status == 200
        assert client.request("GET", "/secret.txt?name=..").status == 404
        assert client.request("GET", "/secret.txt?name=sub/../..").status == 404
        assert client.request("GET", "/sub/?name=x.css").status == 200
        assert client.request("GET", "/sub/?name=../../secret.txt").status == 403
        assert client.request("GET", "/try?name=hello.txt").status == 200
        assert client.request("GET", "/try?name=../secret.txt").status == 404
        assert client.request("GET", "/try?name=sub/../../secret.txt").status == 404


def ask(client: Client, target: str) -> int:
    response = client.request("GET", target)
    assert SECRET not in response.body
    return response.status


@pytest.mark.parametrize("from_root", [True, False])
def test_links_that_are_refused(tree: Path, from_root: bool) -> None:  # noqa: FBT001 - a parameter
    """A link anywhere behind the root is forbidden: to a file, on the way, in an index, in a listing's way."""
    refuse = {"refuse": {"from": text(str(tree)) if from_root else []}}
    action = {
        "files": files(
            str(tree),
            symlinks=refuse,
            listing={"format": "json", "exact_size": True, "local_time": False, "charset": ""},
        )
    }
    with Engine(serving({"/": action})) as engine, engine.client() as client:
        for target in ("/to-secret", "/to-absolute", "/link.txt", "/loop", "/broken"):
            assert ask(client, target) == 403, target
        for target in ("/to-above/secret.txt", "/to-above/", "/away/x.css", "/away/", "/to-above/root/hello.txt"):
            assert ask(client, target) in {403, 404}, target
        assert client.request("GET", "/hello.txt").status == 200
        assert client.request("GET", "/sub/").status == 200
        assert client.request("GET", "/bare/").status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a link to another owner")
def test_links_of_another_owner(tree: Path) -> None:
    """A link of the target's owner is followed, another's is not."""
    action = {"files": files(str(tree), symlinks={"same_owner": {"from": text(str(tree))}})}
    with Engine(serving({"/": action})) as engine, engine.client() as client:
        assert client.request("GET", "/own").status == 200
        assert client.request("GET", "/away/x.css").status == 200
        assert client.request("GET", "/foreign").status == 403


def test_links_are_followed_where_they_may_be(engine: Engine) -> None:
    """As in nginx: what an administrator linked is served."""
    with engine.client() as client:
        assert client.request("GET", "/link.txt").status == 200


def test_what_is_no_file_is_not_served(engine: Engine) -> None:
    """A FIFO is not waited for; a directory is not read."""
    with engine.client() as client:
        assert client.request("GET", "/fifo").status == 404
        assert client.request("GET", "/hollow").status == 301
        assert client.request("GET", "/hollow/").status == 403


def test_a_body_is_not_left_in_the_connection(engine: Engine) -> None:
    """What a refused request carries is not taken for the next one."""
    with engine.client() as client:
        inner = b"GET /to-secret HTTP/1.1\r\nHost: a\r\n\r\n"
        assert client.request("PUT", "/hello.txt", body=inner).status == 405
        assert client.request("GET", "/one.txt").body == b"1"
