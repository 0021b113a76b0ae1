"""Templates: what Go's text/template would write. The expected texts are what Go wrote."""

from __future__ import annotations

import pytest

from daemun.traefik.go_template import Template, TemplateError, check_template, parse_template
from daemun.traefik.go_template_values import Value

DATA: dict[str, Value] = {
    "Name": "web-shop",
    "ContainerName": "shop_web_1",
    "Labels": {"a.b": "x", "hosts": "a.org,b.org", "num": "42", "empty": ""},
}


def made(text: str) -> str:
    return parse_template(text).execute(DATA, environment={"DOMAIN": "example.org"})


def fault(text: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        made(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no action", "no action"),
        ("Host(`{{ normalize .Name }}`)", "Host(`web-shop`)"),
        ("{{.Name}}{{ .ContainerName }}", "web-shopshop_web_1"),
        ('{{ index .Labels "a.b" }}|{{ index .Labels "zz" }}|', "x||"),
        ("{{ .Labels.num }}", "42"),
        ("{{ $.Name }}", "web-shop"),
        ("{{ (.Name) }}", "web-shop"),
        ('{{ (split "-" .Name)._1 }}', "shop"),
        ("{{ trimPrefix `web` .Name | upper }}", "-SHOP"),
        ("{{.Name|lower|upper}}", "WEB-SHOP"),
        ('{{ index .Labels "hosts" | splitList "," | first }}', "a.org"),
        ("{{ 3 }} {{ -3 }} {{ 3.5 }} {{ 2.0 }} {{ true }} {{ `raw\\n` }}", "3 -3 3.5 2 true raw\\n"),
        ('{{ "\\u0041\\x42\\n" }}', "AB\n"),
        ('{{ "}}" }}{{ `{{` }}', "}}{{"),
        ("{{ .Labels }}", "map[a.b:x empty: hosts:a.org,b.org num:42]"),
        ("{{ list 1 `a` true nil }}", "[1 a true <nil>]"),
        ("{{ env `DOMAIN` }}{{ env `NOTHING` }}", "example.org"),
    ],
)
def test_values_are_written(text: str, expected: str) -> None:
    """Fields, constants, functions, pipelines."""
    assert made(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ if .Labels.zz }}y{{ end }}", ""),
        ("{{ if .Labels.zz }}y{{ else }}n{{ end }}", "n"),
        ("{{ if eq 1 2 }}a{{ else if eq 1 1 }}b{{ else if eq 1 1 }}c{{ else }}d{{ end }}", "b"),
        ('{{ if and (eq .Name "web-shop") (index .Labels "a.b") }}yes{{ end }}', "yes"),
        ('{{ if eq .Labels.zz "x" }}a{{ else }}b{{ end }}', "b"),
        ("{{ with .Labels.num }}<{{ . }}>{{ end }}", "<42>"),
        ("{{ with .Labels.zz }}a{{ else with .Name }}{{ . }}{{ end }}", "web-shop"),
        ("{{ with $y := .Name }}{{ $y }}{{ . }}{{ end }}", "web-shopweb-shop"),
        ("{{ range .Labels }}{{ . }},{{ end }}", "x,,a.org,b.org,42,"),
        ("{{ range $k, $v := .Labels }}{{ $k }}={{ $v }};{{ end }}", "a.b=x;empty=;hosts=a.org,b.org;num=42;"),
        ("{{ range (list) }}x{{ else }}none{{ end }}", "none"),
        ("{{ range $x := list 1 2 }}{{ $x }}{{ end }}", "12"),
        (
            (
                '{{ range $i, $h := splitList "," (index .Labels "hosts") }}'
                "{{ if $i }} || {{ end }}Host(`{{ $h }}`){{ end }}"
            ),
            "Host(`a.org`) || Host(`b.org`)",
        ),
    ],
)
def test_bodies_are_chosen(text: str, expected: str) -> None:
    """`if`, `with` and `range`, and what stands in for them."""
    assert made(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{ $x := .Name }}{{ if true }}{{ $x = "q" }}{{ end }}{{ $x }}', "q"),
        ('{{ $x := .Name }}{{ if true }}{{ $x := "q" }}{{ end }}{{ $x }}', "web-shop"),
        ("{{ $x := 1 | add 2 }}{{ $x }}", "3"),
        ("{{ $x := .Labels }}{{ $x.num }}", "42"),
    ],
)
def test_variables_belong_to_their_body(text: str, expected: str) -> None:
    """`:=` makes one, `=` changes it, and it ends with its body."""
    assert made(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  {{- .Name -}}  b", "aweb-shopb"),
        ("a {{- /* nothing */ -}} b{{/* more */}} c", "ab c"),
        ("a \n{{- if true }} b {{ end -}}\n c", "a b c"),
        ("{{ -3 }}", "-3"),
    ],
)
def test_blanks_are_taken_away(text: str, expected: str) -> None:
    """Beside `{{-` and `-}}`, and comments are nothing."""
    assert made(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "offset", "remedy"),
    [
        ("{{ .Nam }}", "there is no field .Nam", 3, "did you mean .Name?"),
        ("{{ .X }}", "there is no field .X", 3, "there are .Name, .ContainerName, .Labels"),
        ("ü{{ uper .Name }}", "there is no function 'uper'", 5, "did you mean upper?"),
        ("{{ $y }}", "there is no variable $y", 3, ""),
        ("{{ $x = 1 }}", "there is no variable $x", 3, "write $x :="),
        ("{{ .Name", "this action is never closed", 0, "close it by }}"),
        ("{{ `a }}", "this text is never closed", 3, ""),
        ("{{ 'a' }}", '"\'" has no meaning in a template', 3, ""),
        ("{{}}", "nothing stands between {{ and }}", 2, ""),
        ("{{ if .Name }}x", "{{if …}} is never ended", 3, "close it by {{end}}"),
        ("x{{ end }}", "{{end}} closes nothing", 4, ""),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", "there is an else already", 26, ""),
        ("{{ if true }}{{ end x }}", "expected }} here, not x", 20, ""),
        ('{{ define "x" }}{{ end }}', "define is not read here", 3, ""),
        ('{{ "a" | lower | 3 }}', "part 3 of the pipeline is a constant, which takes no argument", 17, ""),
        ("{{ lower(.Name) }}", "a blank must stand before (", 8, ""),
        ("{{ .Name ) }}", "expected | or }} here, not )", 9, ""),
        ("{{ (.Name }}", "expected | or ) here, not }}", 10, ""),
        (
            '{{ "\\q" }}',
            "unknown escape \\q",
            3,
            "in double quotes a backslash is written \\\\; backticks need no escapes",
        ),
        ("{{ .Name .Name }}", "a value takes no arguments: only a function does", 3, ""),
        ("{{ .Name.x }}", ".x is asked of a text", 3, ""),
        ("{{ range .Name }}{{ end }}", "range takes a list or a map, not a text", 9, ""),
        ("{{ upper 3 }}", "upper: argument 1 must be a text, not a number", 3, ""),
        ("{{ .Name | trimSuffix }}", "trimSuffix: it takes 2 arguments, not 1", 11, ""),
        ("{{ and }}", "and needs an argument", 3, ""),
        ("{{ index (list 1) 5 }}", "index: there is no item 5: there are 1", 3, ""),
        ('{{ regexFind "(" .Name }}', "regexFind: invalid regular expression: this ( is never closed", 3, ""),
    ],
)
def test_faults_have_a_place_and_a_remedy(text: str, message: str, offset: int, remedy: str) -> None:
    """Where the template is wrong, or where it failed."""
    error = fault(text)
    assert (error.message, error.offset, error.remedy) == (message, offset, remedy)


@pytest.mark.parametrize("text", ["{{ .Labels.zz }}", "{{ nil }}", "{{ first (list) }}"])
def test_what_has_no_value_cannot_be_written(text: str) -> None:
    """Go writes `<no value>`, which makes a rule for nobody."""
    error = fault(text)
    assert error.message == "this has no value"
    assert "index .Labels" in error.remedy


def test_nesting_has_an_end() -> None:
    """A template that no person wrote is refused, without a stack overflow."""
    deep = "{{ if true }}" * 60 + "{{ end }}" * 60
    assert fault(deep).message == "the template is nested too deeply"


def test_execution_has_an_end() -> None:
    """A label cannot keep the control plane busy."""
    inner = '{{ range splitList "" (repeat 400 "a") }}'
    assert fault(f"{inner}{inner}{{{{ upper . }}}}{{{{ end }}}}{{{{ end }}}}").message == "the template takes too long"


def test_a_template_is_checked_where_it_stands() -> None:
    """The static configuration says the byte, and how to go on."""
    assert check_template("{{ .Name }}") == "{{ .Name }}"
    with pytest.raises(
        ValueError, match=r"in the template, byte 4: there is no function 'uper' \(did you mean upper\?\)"
    ):
        check_template("{{ uper .Name }}")


def test_a_template_is_read_once() -> None:
    """A hundred containers share it."""
    assert isinstance(parse_template("{{ .Name }}"), Template)
    assert parse_template("{{ .Name }}") is parse_template("{{ .Name }}")
