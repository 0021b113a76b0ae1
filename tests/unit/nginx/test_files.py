"""`root`, `alias`, `index`, `autoindex`, `try_files` become Files and TryFiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemun.nginx.files import document_root, files, try_files
from daemun.plan.fault import FaultKind
from daemun.plan.files import (
    AliasPrefix,
    Coding,
    Files,
    IfModifiedSince,
    Listing,
    ListingFormat,
    Off,
    Precompressed,
    Refuse,
    SameOwner,
    Whole,
)
from daemun.plan.plan import from_json
from daemun.plan.route import Fail, Name, Respond, Uri
from daemun.plan.template import Literal
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts, scene

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def served(text: str, *heads: str) -> tuple[Files, Parts]:
    made = parts(text)
    return files(made.at(*heads), made.making, scene()), made


def test_the_golden_files() -> None:
    """nginx's defaults, written out."""
    plan = from_json((GOLDEN / "rewrite-last.json").read_bytes())
    found, made = served((GOLDEN / "rewrite-last.conf").read_text(), "server")
    assert found == plan.routes["root"].action
    assert made.making.mime_types == plan.mime_types


def test_the_golden_try_files() -> None:
    """A named location, a status, another URI."""
    made = parts((GOLDEN / "try-files.conf").read_text())
    plan = from_json((GOLDEN / "try-files.json").read_bytes())
    for path in ("/", "/assets/", "/page/"):
        level = made.at("server", f"location {path}")
        assert try_files(level, made.making, scene(path), None) == plan.routes[path].action
    assert try_files(made.at("server", "location @app"), made.making, scene(), None) is None
    assert made.said == []


@pytest.mark.parametrize(
    ("location", "alias"),
    [
        ("location /img/", AliasPrefix("/img/")),
        ("location ^~ /img/", AliasPrefix("/img/")),
        ("location = /img", AliasPrefix("/img")),
        ("location ~ ^/img/(.*)", Whole()),
    ],
)
def test_aliases(location: str, alias: object) -> None:
    """The prefix of its own location is cut off; in a regex location it is the whole name."""
    found, made = served(f"server {{ {location} {{ alias /srv/i/; }} }}", "server", "location")
    assert (found.alias, found.root) == (alias, (Literal("/srv/i/"),))
    assert made.said == []
    root = document_root(made.at("server", "location"), made.making, scene())
    assert (root is None) == isinstance(alias, AliasPrefix)


def test_an_alias_is_inherited_with_its_prefix() -> None:
    """By a location inside, and by an `if`; a root ends it."""
    text = "server { location /a/ { alias /x/; location /a/b { } location /a/c { root /y/; } if ($args) { } } }"
    assert served(text, "server", "location /a/", "location /a/b")[0].alias == AliasPrefix("/a/")
    assert served(text, "server", "location /a/", "if")[0].alias == AliasPrefix("/a/")
    found, _ = served(text, "server", "location /a/", "location /a/c")
    assert (found.alias, found.root) == (Off(), (Literal("/y"),))


def test_roots() -> None:
    """Under the prefix unless absolute or a variable; the last slash does not count."""
    made = parts("root sites/$host/; server { root $http_x; }")
    made.making.prefix = "/srv"
    assert files(made.http, made.making, scene()).root == (Literal("/srv/sites/"), Variable.HOST)
    assert document_root(made.http, made.making, scene()) == (Literal("/srv/sites/"), Variable.HOST)
    assert len(files(made.at("server"), made.making, scene()).root) == 1


def test_what_else_is_said_of_files() -> None:
    """Each directive, once in another way than its default."""
    found, made = served(
        """
        index a.html /b.php; autoindex on; autoindex_format json; autoindex_exact_size off; autoindex_localtime on;
        gzip_static on; gzip_vary on; gzip_proxied any; gzip_http_version 1.0; disable_symlinks if_not_owner from=/srv;
        etag off; if_modified_since before; max_ranges 1; types { a/b c; } default_type d/e;
        """
    )
    assert found == Files(
        root=(Literal("html"),),
        alias=Off(),
        index=((Literal("a.html"),), (Literal("/b.php"),)),
        index_table="main",
        listing=Listing(format=ListingFormat.JSON, exact_size=False, local_time=True, charset=""),
        fallback=None,
        precompressed=Precompressed(codings=(Coding.GZIP,), always=False, vary=True, http10=True, proxied=True),
        types="types",
        default_type="d/e",
        symlinks=SameOwner(from_=(Literal("/srv"),)),
        etag=False,
        if_modified_since=IfModifiedSince.BEFORE,
        max_ranges=1,
        redirect=scene().origin,
    )
    assert made.said == []
    assert served("disable_symlinks on;")[0].symlinks == Refuse(from_=())
    assert served("gzip_static always;")[0].precompressed.always


def test_compressed_files_are_off_by_default() -> None:
    """The terms of gzip mean nothing then."""
    found, _ = served("gzip_vary on; gzip_proxied any;")
    assert found.precompressed == Precompressed(codings=(), always=False, vary=False, http10=False, proxied=False)


@pytest.mark.parametrize(
    ("text", "otherwise"),
    [
        ("=404", Fail(FaultKind.NOT_FOUND)),
        ("=403", Fail(FaultKind.FORBIDDEN)),
        ("=204", Respond(status=204, headers=(), body=())),
        ("@a", Name(table="main", name="a")),
        ("/x?$args", Uri(table="main", uri=(Literal("/x?"), Variable.QUERY))),
        ("$uri/", Uri(table="main", uri=(Variable.PATH, Literal("/")))),
    ],
)
def test_what_comes_last(text: str, otherwise: object) -> None:
    """It is never looked for."""
    made = parts(f"server {{ try_files $document_root/a /b/ {text}; }}")
    found = try_files(made.at("server"), made.making, scene(), "content")
    assert found is not None
    assert found.otherwise == otherwise
    assert found.candidates == ((Literal("html/a"),), (Literal("/b/"),))
    assert found.found == "content"
    assert made.said == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root /a; root /b;", 'duplicate: "root" directive is duplicate, "root" directive was specified earlier'),
        ("root /a; alias /b;", 'duplicate: "alias" directive is duplicate, "root" directive was specified earlier'),
        ("root $document_root/a;", 'value: the $document_root variable cannot be used in the "root" directive'),
        ("autoindex_format yaml; autoindex on;", 'value: invalid value "yaml"'),
        ("disable_symlinks on form=/x;", 'value: invalid parameter "form=/x"'),
        ("try_files $uri =4o4;", 'value: invalid code "4o4"'),
        ("try_files $uri /x; try_files $uri /y;", 'duplicate: "try_files" directive is duplicate'),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    made = parts(f"server {{ location /a {{ {text} }} }}")
    level = made.at("server", "location /a")
    if try_files(level, made.making, scene(), None) is None:
        files(level, made.making, scene())
    assert set(made.said) == {f"1 error {said}"}


def test_no_alias_in_a_named_location() -> None:
    """There is no path it could stand for."""
    found, made = served("server { location @a { alias /x; } }", "server", "location @a")
    assert found == replace(found, alias=Off())
    assert made.said == [
        '1 error placement: the "alias" directive cannot be used inside the named location',
    ]


def test_only_the_last_index_may_be_absolute() -> None:
    """What follows is never asked for."""
    _, made = served("index /a b;")
    assert made.said == ['1 warning value: only the last index in "index" directive should be absolute: "/a"']
