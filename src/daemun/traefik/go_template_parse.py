"""Template text to nodes, as Go's text/template reads it, without `define`, `template` and `block`.

Used by go_template.py alone. The first thing that cannot be read is a TemplateError with its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daemun.errors import RuleError, nearest
from daemun.traefik.go_template_functions import NAMES
from daemun.traefik.go_template_nodes import (
    Action,
    Chain,
    Command,
    If,
    Literal,
    Name,
    Node,
    Operand,
    Pipeline,
    Range,
    TemplateError,
    Text,
    With,
)
from daemun.traefik.rule_lexer import tokenize

_MOST_DEPTH = 50
_COMMENT = re.compile(r"\{\{(-\s)?\s*/\*.*?\*/\s*?(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<end>(?:(?<=\s)-)?\}\})
      | (?P<text>`[^`]*`|"(?:[^"\\\n]|\\.)*")
      | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?![\w.]))
      | (?P<variable>\$\w*)
      | (?P<field>\.[^\W\d]\w*)
      | (?P<dot>\.)
      | (?P<name>[^\W\d]\w*)
      | (?P<mark>:=|[=|(),])""",
    re.VERBOSE,
)
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}
_CLOSING = frozenset({"end", "else"})
_NOT_READ = frozenset({"define", "template", "block", "break", "continue"})
_CONTROLS: dict[str, type[If | With | Range]] = {"if": If, "with": With, "range": Range}


def parse(text: str) -> tuple[Node, ...]:
    """Return the nodes of a whole template. Raises TemplateError."""
    reader = _Reader(text)
    body, closing = reader.body(0)
    if closing is not None:
        raise reader.error(closing, f"{{{{{closing.text}}}}} closes nothing")
    return body


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    index: int
    spaced: bool


class _Reader:
    """Recursive descent over text and actions; `at` is where it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.trim = False
        self.known: list[str] = ["$"]

    def error(self, token: _Token, message: str, *, remedy: str = "") -> TemplateError:
        return TemplateError(message, template=self.text, index=token.index, remedy=remedy)

    def body(self, depth: int) -> tuple[tuple[Node, ...], _Token | None]:
        """Read nodes up to `{{end}}`, `{{else…` (not past its keyword) or the end of the text."""
        found: list[Node] = []
        before = len(self.known)
        while True:
            found.extend(self._outside())
            if self.at >= len(self.text):
                return tuple(found), None
            keyword = self._peek()
            if keyword.kind == "name" and keyword.text in _CLOSING:
                del self.known[before:]
                return tuple(found), self._next()
            if keyword.kind == "name" and keyword.text in _NOT_READ:
                raise self.error(keyword, f"{keyword.text} is not read here")
            if keyword.kind == "name" and keyword.text in _CONTROLS:
                found.append(self._control(self._next(), depth + 1))
            elif keyword.kind == "end":
                raise self.error(keyword, "nothing stands between {{ and }}")
            else:
                found.append(Action(self._pipeline("end")))

    def _outside(self) -> list[Node]:
        """Read text up to the next action, and step into that."""
        kept: list[str] = []
        while True:
            opening = self.text.find("{{", self.at)
            piece = self.text[self.at : opening if opening >= 0 else len(self.text)]
            if self.trim:
                piece = piece.lstrip()
            self.trim = False
            if opening < 0:
                self.at = len(self.text)
                kept.append(piece)
                break
            trims = bool(re.match(r"\{\{-\s", self.text[opening:]))
            kept.append(piece.rstrip() if trims else piece)
            comment = _COMMENT.match(self.text, opening)
            if comment is None:
                self.at = opening + (3 if trims else 2)
                break
            self.at = comment.end()
            self.trim = comment[2] is not None
        text = "".join(kept)
        return [Text(text)] if text else []

    def _control(self, keyword: _Token, depth: int) -> Node:
        if depth > _MOST_DEPTH:
            raise self.error(keyword, "the template is nested too deeply")
        make = _CONTROLS[keyword.text]
        before = len(self.known)
        pipeline = self._pipeline("end", most_variables=2 if keyword.text == "range" else 1)
        then, closing = self.body(depth)
        otherwise: tuple[Node, ...] = ()
        if closing is not None and closing.text == "else":
            again = self._peek()
            if again.kind == "name" and again.text in _CONTROLS and again.text != "range":
                otherwise = (self._control(self._next(), depth + 1),)
                del self.known[before:]
                return make(pipeline, then, otherwise)
            self._expect_end()
            otherwise, closing = self.body(depth)
            if closing is not None and closing.text == "else":
                raise self.error(closing, "there is an else already")
        if closing is None:
            raise self.error(keyword, f"{{{{{keyword.text} …}}}} is never ended", remedy="close it by {{end}}")
        self._expect_end()
        del self.known[before:]
        return make(pipeline, then, otherwise)

    def _pipeline(self, closing: str, *, most_variables: int = 1) -> Pipeline:
        """Read a pipeline and what closes it: `end` or `)`."""
        first = self._peek()
        variables, declares = self._variables(most_variables)
        commands: list[Command] = []
        while True:
            commands.append(self._command())
            token = self._next()
            if token.kind == "mark" and token.text == "|":
                continue
            if token.kind == closing or (token.kind == "mark" and token.text == closing):
                break
            raise self.error(token, f"expected | or {'}}' if closing == 'end' else ')'} here, not {_shown(token)}")
        if declares:
            self.known.extend(variables)
        for number, command in enumerate(commands[1:], start=1):
            if isinstance(command.operands[0], Literal):
                wrong = command.operands[0]
                message = f"part {number + 1} of the pipeline is a constant, which takes no argument"
                raise TemplateError(message, template=self.text, index=wrong.index)
        return Pipeline(tuple(commands), variables, declares, first.index)

    def _variables(self, most: int) -> tuple[tuple[str, ...], bool]:
        """Read `$x :=`, `$i, $x :=` or `$x =`, if the pipeline begins so."""
        start, names = self.at, []
        while self._peek().kind == "variable":
            names.append(self._next())
            if not (self._peek().kind == "mark" and self._peek().text == "," and len(names) < most):
                break
            self._next()
        mark = self._peek()
        if names and mark.kind == "mark" and mark.text in {":=", "="}:
            self._next()
            if mark.text == "=" and (unknown := next((one for one in names if one.text not in self.known), None)):
                raise self.error(unknown, f"there is no variable {unknown.text}", remedy=f"write {unknown.text} :=")
            return tuple(one.text for one in names), mark.text == ":="
        self.at = start
        return (), False

    def _command(self) -> Command:
        first = self._peek()
        operands: list[Operand] = [self._operand()]
        while True:
            token = self._peek()
            if token.kind == "end" or (token.kind == "mark" and token.text in {"|", ")"}):
                return Command(tuple(operands), first.index)
            if not token.spaced:
                raise self.error(token, f"a blank must stand before {_shown(token)}")
            operands.append(self._operand())

    def _operand(self) -> Operand:
        token = self._next()
        if token.kind == "text":
            return Literal(self._unquoted(token), token.index)
        if token.kind == "number":
            return Literal(float(token.text) if "." in token.text else int(token.text), token.index)
        if token.kind == "name":
            return self._named(token)
        if token.kind == "dot":
            return Chain(".", (), token.index)
        if token.kind == "field":
            return Chain(".", (token.text[1:], *self._fields()), token.index)
        if token.kind == "variable":
            if token.text not in self.known:
                near = nearest(token.text, self.known[1:])
                remedy = f"did you mean {near}?" if near else ""
                raise self.error(token, f"there is no variable {token.text}", remedy=remedy)
            return Chain(token.text, self._fields(), token.index)
        if token.kind == "mark" and token.text == "(":
            return Chain(self._pipeline(")"), self._fields(), token.index)
        raise self.error(token, f"expected a value here, not {_shown(token)}")

    def _named(self, token: _Token) -> Operand:
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text], token.index)
        if token.text in NAMES:
            return Name(token.text, token.index)
        near = nearest(token.text, NAMES)
        raise self.error(token, f"there is no function {token.text!r}", remedy=f"did you mean {near}?" if near else "")

    def _fields(self) -> tuple[str, ...]:
        found: list[str] = []
        while (token := self._peek()).kind == "field" and not token.spaced:
            found.append(self._next().text[1:])
        return tuple(found)

    def _unquoted(self, token: _Token) -> str:
        """Resolve Go's escapes as the rules do."""
        try:
            return tokenize(token.text)[0].text
        except RuleError as error:
            raise self.error(token, error.problem.message, remedy=error.problem.remedy) from None

    def _expect_end(self) -> None:
        token = self._next()
        if token.kind != "end":
            raise self.error(token, f"expected }}}} here, not {_shown(token)}")

    def _peek(self) -> _Token:
        start, trim = self.at, self.trim
        token = self._next()
        self.at, self.trim = start, trim
        return token

    def _next(self) -> _Token:
        """Return the next token of the action, blanks left out."""
        spaced = False
        while True:
            match = _TOKEN.match(self.text, self.at)
            if match is None:
                raise self._bad()
            kind = str(match.lastgroup)
            if kind != "blank":
                break
            spaced = True
            self.at = match.end()
        token = _Token(kind, match.group(), self.at, spaced)
        self.at = match.end()
        if kind == "end":
            self.trim = token.text.startswith("-")
        return token

    def _bad(self) -> TemplateError:
        rest = self.text[self.at :]
        here = _Token("bad", rest[:1], self.at, spaced=False)
        if not rest:
            opening = self.text.rfind("{{")
            here = _Token("bad", "{{", max(opening, 0), spaced=False)
            return self.error(here, "this action is never closed", remedy="close it by }}")
        if rest[0] in '`"':
            return self.error(here, "this text is never closed")
        return self.error(here, f"{rest[0]!r} has no meaning in a template")


def _shown(token: _Token) -> str:
    return "}}" if token.kind == "end" else token.text
