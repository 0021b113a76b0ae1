"""`error_page` becomes a filter ErrorPages."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.error_pages import error_pages
from daemun.nginx.pages import answer
from daemun.plan.fault import FaultKind
from daemun.plan.filter import Answered, ErrorPage, ErrorPages, Fixed, Original, PageRedirect
from daemun.plan.plan import from_json
from daemun.plan.route import Name, Uri
from daemun.plan.template import Literal
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts, scene

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def pages(text: str) -> tuple[tuple[ErrorPage, ...], Parts]:
    made = parts(text)
    name = error_pages(made.http, made.making, scene())
    found = made.making.filters[name] if name else ErrorPages(())
    assert isinstance(found, ErrorPages)
    return found.pages, made


def test_the_golden_pages() -> None:
    """Inherited ones, a named location, a redirect, a fixed status."""
    made = parts((GOLDEN / "error-page-named.conf").read_text())
    plan = from_json((GOLDEN / "error-page-named.json").read_bytes())
    assert error_pages(made.at("server"), made.making, scene("server")) == "server pages"
    assert error_pages(made.at("server", "location /"), made.making, scene("/")) == "/ pages"
    # The same pages are the same filter.
    assert error_pages(made.at("server", "location @fallback"), made.making, scene("@fallback")) == "server pages"
    assert made.making.filters == plan.filters


@pytest.mark.parametrize(
    ("text", "status", "leads"),
    [
        ("/x", Original(), Uri(table="main", uri=(Literal("/x"),))),
        ("/x?a=$args", Original(), Uri(table="main", uri=(Literal("/x?a="), Variable.QUERY))),
        ("= /x", Answered(), Uri(table="main", uri=(Literal("/x"),))),
        ("=200 /x", Fixed(200), Uri(table="main", uri=(Literal("/x"),))),
        ("@x", Original(), Name(table="main", name="x")),
        ("= @x", Answered(), Name(table="main", name="x")),
        ("http://a/", Fixed(302), PageRedirect(location=(Literal("http://a/"),), respond=answer(302))),
        ("=307 http://a/", Fixed(307), PageRedirect(location=(Literal("http://a/"),), respond=answer(307))),
        ("=200 http://a/", Fixed(302), PageRedirect(location=(Literal("http://a/"),), respond=answer(302))),
        ("https://$host$request_uri", Fixed(302), None),
    ],
)
def test_answers(text: str, status: object, leads: object) -> None:
    """A path, a name, a redirect; with the status the client sees."""
    found, made = pages(f"error_page 404 {text};")
    assert made.said == []
    assert found[0].statuses == (404,)
    assert found[0].status == status
    assert leads is None or found[0].answer == leads


def test_errors_of_nginxs_own() -> None:
    """497 is a fault of its own, and what `return 497` answers; without `=CODE` it goes out as 400, as a redirect as 302."""
    found, _ = pages("error_page 404 497 /x; error_page 497 =301 https://$host/; error_page 494 =200 /y;")
    assert [(one.statuses, one.faults, one.status) for one in found] == [
        ((404,), (), Original()),
        ((497,), (FaultKind.PLAIN_ON_TLS,), Fixed(400)),
        ((497,), (FaultKind.PLAIN_ON_TLS,), Fixed(301)),
        ((494,), (FaultKind.HEAD_TOO_LARGE,), Fixed(200)),
    ]


def test_recursion_is_of_the_level() -> None:
    """`recursive_error_pages on` holds for every page there."""
    found, _ = pages("recursive_error_pages on; error_page 404 /x; error_page 500 502 /y;")
    assert [one.recursive for one in found] == [True, True]
    assert found[1].statuses == (500, 502)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/x", 'invalid value "/x"'),
        ("=404 /x", 'invalid value "=404"'),
        ("4o4 /x", 'invalid value "4o4"'),
        ("499 /x", 'invalid value "499"'),
        ("200 /x", 'value "200" must be between 300 and 599'),
        ("404 =x /x", 'invalid value "=x"'),
        ("404 /$nothing", 'unknown "$nothing" variable'),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    _, made = pages(f"error_page {text};")
    assert [one.message for one in made.making.problems] == [said]
    assert made.making.problems[0].place is not None
