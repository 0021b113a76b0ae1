"""What becomes of the request target: Traefik's normal form, nginx's, and the raw one (COMPAT.md)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.gate import gate
from tests.kit.plans import policy

NGINX = {
    "form": "decoded",
    "refuse_above_root": True,
    "refuse_fragment": False,
    "query_semicolons": "keep",
}


@pytest.mark.parametrize(
    ("target", "upstream"),
    [
        ("/aa/%7Ex//y?q=1;2", "/aa/~x/y?q=1&2"),  # seen by running Traefik 3.7
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/../../a", "/a"),
        ("/a/b/.", "/a/b/"),
        ("/a//", "/a/"),
        ("//a", "/a"),
        ("/%61%2f%2F%3a", "/a%2F%2F%3A"),
        ("/%2e%2e/a", "/a"),
        ("/a%20b", "/a%20b"),
        ("/?a=%7e&b=//..", "/?a=%7e&b=//.."),
        ("/a?", "/a?"),
        ("/a?b?c", "/a?b?c"),
    ],
)
def test_traefik_form(target: str, upstream: str) -> None:
    """Unreserved characters decoded, hex in capitals, slashes merged, dots resolved; the query kept but for `;`."""
    with gate() as g:
        g.client.request("GET", target)
        assert g.origin.requests[0].target == upstream


@pytest.mark.parametrize("target", ["/%", "/%2", "/%zz", "/a#b", "/a?b#c"])
def test_targets_that_traefik_refuses(target: str) -> None:
    """Wrong escapes and fragments are 400 and go nowhere."""
    with gate() as g:
        assert g.client.request("GET", target).status == 400
        assert g.origin.received == b""


@pytest.mark.parametrize(
    ("path", "action", "target", "upstream"),
    [
        ({}, {"target": "raw"}, "/a/%7Ex//y?q=1;2", "/a/%7Ex//y?q=1;2"),  # seen by running nginx
        ({}, {"target": "raw"}, "http://other.test/a/%7Ex?b", "/a/%7Ex?b"),  # absolute-form goes on in origin form
        ({}, {"target": "raw"}, "http://other.test?b", "/?b"),
        ({}, {"target": "raw"}, "http://other.test", "/"),
        (NGINX, {"target": "raw"}, "/a/%7Ex//y?q=1;2", "/a/%7Ex//y?q=1;2"),
        (
            NGINX,
            {"target": {"replace_prefix": {"prefix": "/b/", "with": "/x/"}}},
            "/b/z%2Fw//k",
            "/x/z/w/k",
        ),  # likewise
        (NGINX, {"target": {"replace_prefix": {"prefix": "/b/", "with": "/"}}}, "/b/a%20b?c=d", "/a%20b?c=d"),
        (NGINX, {"target": {"template": [{"literal": "/fixed"}]}}, "/b", "/fixed"),
    ],
)
def test_target_of_the_plan(path: dict[str, Any], action: dict[str, Any], target: str, upstream: str) -> None:
    """`target` says what goes upstream: as received, a replaced prefix, or a template."""
    with gate(http=policy(path=path), action=action) as g:
        assert g.client.request("GET", target).status == 200
        assert g.origin.requests[0].target == upstream


def test_above_the_root_is_refused() -> None:
    """nginx answers 400 to a path that leads above the root."""
    with gate(http=policy(path=NGINX)) as g:
        assert g.client.request("GET", "/a/../../b").status == 400
        assert g.origin.received == b""


def test_slashes_and_dots_are_kept() -> None:
    """Without merging and resolving the path goes on as it came, escapes normalised."""
    with gate(http=policy(path={"merge_slashes": False, "resolve_dots": False})) as g:
        g.client.request("GET", "//a/./../%7e//")
        assert g.origin.requests[0].target == "//a/./../~//"


@pytest.mark.parametrize(("semicolons", "query"), [("keep", "a;b"), ("ampersand", "a&b"), ("encode", "a%3Bb")])
def test_semicolons(semicolons: str, query: str) -> None:
    """`;` in a query stays, separates, or is encoded, as the policy says."""
    with gate(http=policy(path={"query_semicolons": semicolons})) as g:
        g.client.request("GET", "/?a;b")
        assert g.origin.requests[0].target == f"/?{query}"
