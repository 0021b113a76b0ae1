"""The functions of templates. The expected texts are what sprig wrote."""

from __future__ import annotations

import pytest

from daemun.traefik.go_template import TemplateError, parse_template
from daemun.traefik.go_template_functions import FUNCTIONS, NAMES

DATA = {"Name": "web-shop"}
CASES = {
    "not": ("not 0", "true"),
    "eq": ('eq .Name "a" "web-shop"', "true"),
    "ne": ("ne 1 2", "true"),
    "lt": ("lt 1 2", "true"),
    "le": ('le "a" "b"', "true"),
    "gt": ("gt 2 1", "true"),
    "ge": ("ge 1 1", "true"),
    "len": ('len "é"', "2"),
    "index": ("index (list 1 2) 1", "2"),
    "slice": ("slice (list 1 2 3) 1", "[2 3]"),
    "print": ('print 1 2 "a" 3 4 true', "1 2a3 4 true"),
    "println": ('println 1 "a"', "1 a\n"),
    "printf": (
        'printf "%s-%03d-%q-%v-%5s|%-5s|%%" .Name 7 "a\\"b" true "a" "b"',
        'web-shop-007-"a\\"b"-true-    a|b    |%',
    ),
    "normalize": ('normalize "é_ü.2²-/x"', "é-ü-2²-x"),
    "lower": ('lower "AbC"', "abc"),
    "upper": ('upper "straße"', "STRAßE"),
    "title": ('title "hello wORLD foo_bar x-y"', "Hello WORLD Foo_bar X-Y"),
    "untitle": ('untitle "Hello WORLD"', "hello wORLD"),
    "trim": ('trim "  a b  "', "a b"),
    "trimAll": ('trimAll "$" "$5.00$"', "5.00"),
    "trimall": ('trimall "" "a"', "a"),
    "trimPrefix": ('trimPrefix "web-" .Name', "shop"),
    "trimSuffix": ('trimSuffix "-shop" .Name', "web"),
    "hasPrefix": ('hasPrefix "web" .Name', "true"),
    "hasSuffix": ('hasSuffix "web" .Name', "false"),
    "contains": ('contains "b-s" .Name', "true"),
    "replace": ('replace "-" "." .Name', "web.shop"),
    "repeat": ('repeat 3 "ab"', "ababab"),
    "substr": ("substr 2 -1 .Name", "b-shop"),
    "trunc": ("trunc -4 .Name", "shop"),
    "nospace": ('nospace "a b c"', "abc"),
    "quote": ("quote .Name 1", '"web-shop" "1"'),
    "squote": ("squote .Name", "'web-shop'"),
    "cat": ('cat "a" 1 true "b"', "a 1 true b"),
    "snakecase": ('snakecase "FirstName"', "first_name"),
    "kebabcase": ('kebabcase "FirstName"', "first-name"),
    "camelcase": ('camelcase "foo bar-baz_qux"', "fooBarBazQux"),
    "swapcase": ('swapcase "aBc"', "AbC"),
    "toString": ("toString 5", "5"),
    "b64enc": ('b64enc "hi"', "aGk="),
    "b64dec": ('b64dec "aGk="', "hi"),
    "sha1sum": ('sha1sum "a"', "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    "sha256sum": ('sha256sum "a" | trunc 8', "ca978112"),
    "env": ('env "HOST"', "here"),
    "regexMatch": ('regexMatch "^web" .Name', "true"),
    "regexFind": ('regexFind "[a-z]+$" .Name', "shop"),
    "regexFindAll": ('regexFindAll "[a-z]" .Name 3', "[w e b]"),
    "regexReplaceAll": ('regexReplaceAll "(a)(?P<x>b)?" "abac" "[$1|${x}|$$|$9]"', "[a|b|$|][a||$|]c"),
    "regexReplaceAllLiteral": ('regexReplaceAllLiteral "web" .Name "$1"', "$1-shop"),
    "regexSplit": ('regexSplit "[a-z]" "1a2b3" 2', "[1 2b3]"),
    "regexQuoteMeta": ('regexQuoteMeta "a.b*c-[x]"', "a\\.b\\*c-\\[x\\]"),
    "split": ('split "-" .Name', "map[_0:web _1:shop]"),
    "splitList": ('splitList "-" .Name', "[web shop]"),
    "splitn": ('splitn "-" 2 "a-b-c"', "map[_0:a _1:b-c]"),
    "join": ('join "," (list 1 "a" true)', "1,a,true"),
    "list": ("list 1 2", "[1 2]"),
    "first": ("first (list 1 2)", "1"),
    "last": ("last (list 1 2)", "2"),
    "rest": ("rest (list 1 2 3)", "[2 3]"),
    "initial": ("initial (list 1 2 3)", "[1 2]"),
    "reverse": ("reverse (list 1 2 3)", "[3 2 1]"),
    "uniq": ("uniq (list 1 1 2)", "[1 2]"),
    "compact": ('compact (list 0 1 "" "a")', "[1 a]"),
    "without": ("without (list 1 2 3) 2", "[1 3]"),
    "has": ("has 2 (list 1 2)", "true"),
    "append": ("append (list 1) 2", "[1 2]"),
    "prepend": ("prepend (list 1) 2", "[2 1]"),
    "concat": ("concat (list 1) (list 2 3)", "[1 2 3]"),
    "sortAlpha": ('sortAlpha (list "b" "a")', "[a b]"),
    "toStrings": ("toStrings (list 1 2)", "[1 2]"),
    "dict": ('dict "a" 1 "b" 2', "map[a:1 b:2]"),
    "get": ('get (dict "a" "1") "z"', ""),
    "hasKey": ('hasKey (dict "a" 1) "a"', "true"),
    "keys": ('keys (dict "a" 1)', "[a]"),
    "values": ('values (dict "a" 1)', "[1]"),
    "default": ('default "q" ""', "q"),
    "empty": ('empty ""', "true"),
    "coalesce": ('coalesce "" 0 "x"', "x"),
    "ternary": ('true | ternary "a" "b"', "a"),
    "all": ('all 1 ""', "false"),
    "any": ('any 1 ""', "true"),
    "int": ('int "7"', "7"),
    "int64": ("int64 3.7", "3"),
    "atoi": ('atoi "42"', "42"),
    "add": ('add 1 2 "3"', "6"),
    "add1": ("add1 3", "4"),
    "sub": ("sub 5 2", "3"),
    "mul": ("mul 2 3", "6"),
    "div": ("div -7 2", "-3"),
    "mod": ("mod -7 2", "-1"),
    "max": ("max 1 5 2", "5"),
    "min": ("min 4 2", "2"),
    "and": ("and 1 0 2", "0"),
    "or": ('or 0 "" "x"', "x"),
}


def made(pipeline: str) -> str:
    return parse_template(f"{{{{ {pipeline} }}}}").execute(DATA, environment={"HOST": "here"})


@pytest.mark.parametrize("name", sorted(NAMES - {"fail"}))
def test_every_function_does_what_sprig_does(name: str) -> None:
    """One example each; a new function needs one."""
    pipeline, expected = CASES[name]
    assert made(pipeline) == expected


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("substr 0 3 .Name", "web"),
        ("substr 3 100 .Name", "-shop"),
        ("trunc 100 .Name", "web-shop"),
        ('join "," "abc"', "abc"),
        ('regexFindAll "[a-z]" "ab" -1', "[a b]"),
        ('regexReplaceAll "a*" "baac" "x"', "xbxcx"),
        ('regexSplit "" "abc" -1', "[a b c]"),
        ('replace "" "." "ab"', ".a.b."),
        ('default "q" nil', "q"),
        ('int "x"', "0"),
        ("or 0 false nil 2", "2"),
        ("splitList `` `ab`", "[a b]"),
    ],
)
def test_the_edges_are_sprigs_too(pipeline: str, expected: str) -> None:
    """Ends of texts, empty matches, what is no number."""
    assert made(pipeline) == expected


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("div 1 0", "div: division by zero"),
        ("mod 1 0", "mod: division by zero"),
        ('fail "not here"', "fail: not here"),
        ('b64dec "%"', "b64dec: this is no base64 of a text"),
        ('repeat 999999 "ab"', "repeat: a text cannot be repeated 999999 times"),
        ('printf "%x" 1', "printf: %x is not known: there are %s, %d, %v and %q"),
        ('printf "%d" "a"', "printf: %d takes a whole number, not a text"),
        ('printf "%s %s" "a"', "printf: there is no value for %s"),
        ('lt "a" 1', "lt: a text and a number cannot be compared"),
        ('eq "1" 1', "eq: values of different kinds cannot be compared"),
        ("eq 1", "eq: there is nothing to compare with"),
        ("len 3", "len: a number has no length"),
        ('index "abc" 1 2', "index: a text has no items"),
        ("index (dict) 1", "index: a map is asked by a text, not a number"),
        ("slice (list 1) 2", "slice: there is nothing from 2 to 1: there are 1"),
        ("first 1", "first: argument 1 must be a list, not a number"),
        ('get (list) "a"', "get: argument 1 must be a map, not a list"),
        ("ternary 1 2", "ternary: it takes 3 arguments, not 2"),
        ("max", "max: it takes at least 1 argument, not 0"),
    ],
)
def test_what_a_function_cannot_use_is_said(pipeline: str, message: str) -> None:
    """With the function's name."""
    with pytest.raises(TemplateError) as caught:
        made(pipeline)
    assert caught.value.message.startswith(message)


def test_every_function_is_declared_with_its_kinds() -> None:
    """What repeats has a last kind to repeat."""
    assert all(function.kinds for function in FUNCTIONS.values())
