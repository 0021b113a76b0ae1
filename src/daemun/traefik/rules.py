"""Traefik v3's routing rules: text to a tree of matchers.

Facts (Traefik v3.7 documentation): `&&` binds before `||`, `!` before both; a matcher's name is accepted
as written, all lower, ALL UPPER or Title; every argument is a non-empty text; a rule's default priority
is its length in bytes. Decisions: one RuleError per rule, at the first fault, with a caret; nothing is
matched here, the engine does that from the lowered tree. The arguments' own checks are in rule_checks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemun.errors import RuleError, nearest
from daemun.traefik.rule_checks import MATCHERS, check_arguments
from daemun.traefik.rule_lexer import Kind, Token, tokenize

# Deeper nesting than any person writes; it keeps the parser's recursion within Python's.
_MOST_DEPTH = 100
_CALL_EXAMPLES = {
    "Header": "Header(`X-Name`, `value`)",
    "HeaderRegexp": "HeaderRegexp(`X-Name`, `^v.*$`)",
    "Label": "Label(`name`, `value`)",
    "LabelRegex": "LabelRegex(`name`, `^v.*$`)",
}


@dataclass(frozen=True, slots=True)
class Match:
    """One matcher under its canonical name, such as `Host`, with its arguments as written."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a rule."""

    item: Rule


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more rules."""

    items: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more rules."""

    items: tuple[Rule, ...]


Rule = Match | Not | And | Or


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The matchers an expression may have: each spelling's canonical name, an example, and what judges arguments.

    In the example a text takes the place of `{}`, `word` by default. `unknown` gives the suggestion and the remedy for a name that is not among the spellings.
    """

    spellings: Mapping[str, str]
    example: str
    word: str
    check: Callable[[str, str, Token, Sequence[Token]], None]
    unknown: Callable[[str], tuple[str, str]]


def parse_rule(text: str) -> Rule:
    """Parse a whole v3 rule. Raises RuleError."""
    return parse_expression(text, vocabulary=_ROUTING)


def parse_expression(text: str, *, vocabulary: Vocabulary) -> Rule:
    """Parse matchers joined by `&&`, `||`, `!` and parentheses. Raises RuleError."""
    if not text.strip():
        remedy = f"write {vocabulary.example.format(vocabulary.word)}"
        raise RuleError(rule=text, index=0, width=1, message="the rule is empty", remedy=remedy)
    parser = _Parser(text, vocabulary)
    rule = parser.any_of(0)
    parser.finish()
    return rule


def default_priority(text: str) -> int:
    """Return the priority of a rule that sets none: its length in bytes, blanks included."""
    return len(text.encode("utf-8", "surrogatepass"))


def matches_of(rule: Rule) -> Iterator[Match]:
    """Yield every matcher in the order written."""
    match rule:
        case Match():
            yield rule
        case Not(item):
            yield from matches_of(item)
        case And(items) | Or(items):
            for item in items:
                yield from matches_of(item)


def _spellings() -> dict[str, str]:
    spellings: dict[str, str] = {}
    for name in MATCHERS:
        for spelling in (name, name.lower(), name.upper(), name.lower().title()):
            spellings[spelling] = name
    return spellings


def _unknown(name: str) -> tuple[str, str]:
    lower = name.lower()
    same = next((known for known in MATCHERS if known.lower() == lower), "")
    if same:
        return same, f"accepted are {same}, {same.lower()}, {same.upper()} and {same.lower().title()}"
    v2 = {
        "headers": ("Header", ""),
        "headersregexp": ("HeaderRegexp", ""),
        "hostheader": ("Host", ""),
        "hostsni": ("", "HostSNI belongs to TCP routers"),
        "hostsniregexp": ("", "HostSNIRegexp belongs to TCP routers"),
        "alpn": ("", "ALPN belongs to TCP routers"),
    }
    return v2.get(lower, (nearest(name, MATCHERS), ""))


_ROUTING = Vocabulary(
    spellings=_spellings(), example="Host(`{}`)", word="example.com", check=check_arguments, unknown=_unknown
)


class _Parser:
    """Recursive descent: any_of → all_of → one → matcher."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.tokens = tokenize(text)
        self.at = 0

    def any_of(self, depth: int) -> Rule:
        items = [self.all_of(depth)]
        while self._take("||"):
            items.append(self.all_of(depth))
        return items[0] if len(items) == 1 else Or(tuple(items))

    def all_of(self, depth: int) -> Rule:
        items = [self.one(depth)]
        while self._take("&&"):
            items.append(self.one(depth))
        return items[0] if len(items) == 1 else And(tuple(items))

    def one(self, depth: int) -> Rule:
        token = self._now
        if depth > _MOST_DEPTH:
            raise self._error(token, "the rule is nested too deeply")
        if self._take("!"):
            return Not(self.one(depth + 1))
        if self._take("("):
            inner = self.any_of(depth + 1)
            if not self._take(")"):
                raise self._error(token, "this ( is never closed")
            return inner
        if token.kind == "name":
            self.at += 1
            return self._matcher(token)
        raise self._unexpected(token)

    def finish(self) -> None:
        """Refuse anything after the rule."""
        token = self._now
        if token.kind == "end":
            return
        if token.kind == ")":
            raise self._error(token, "this ) closes nothing")
        remedy = "join matchers with && or ||"
        if token.kind == ",":
            remedy = "AND is written &&, OR is written ||"
        elif token.text.lower() in {"and", "or"}:
            remedy = f"{token.text.upper()} is written {'&&' if token.text.lower() == 'and' else '||'}"
        raise self._error(token, f"{self._shown(token)} cannot follow a matcher", remedy=remedy)

    def _matcher(self, name: Token) -> Match:
        canonical = self.vocabulary.spellings.get(name.text)
        if canonical is None:
            raise self._unknown(name)
        opening = self._now
        if not self._take("("):
            raise self._error(name, f"{canonical} needs its arguments", remedy=f"write {_example(canonical)}")
        arguments: list[Token] = []
        while True:
            token = self._now
            if token.kind == ")" and not arguments:
                break
            if token.kind != "string":
                if token.kind == "end":
                    raise self._error(opening, "this ( is never closed")
                remedy = "write it in backticks or double quotes" if token.kind == "name" else ""
                raise self._error(token, f"{canonical} takes texts, not {self._shown(token)}", remedy=remedy)
            arguments.append(token)
            self.at += 1
            if not self._take(","):
                break
        if not self._take(")"):
            if self._now.kind == "end":
                raise self._error(opening, "this ( is never closed")
            raise self._error(self._now, f"expected , or ) here, not {self._shown(self._now)}")
        self.vocabulary.check(self.text, canonical, name, arguments)
        return Match(canonical, tuple(token.text for token in arguments))

    @property
    def _now(self) -> Token:
        return self.tokens[self.at]

    def _take(self, kind: Kind) -> bool:
        if self.tokens[self.at].kind == kind:
            self.at += 1
            return True
        return False

    def _unknown(self, name: Token) -> RuleError:
        suggestion, remedy = self.vocabulary.unknown(name.text)
        known = suggestion and suggestion.lower() == name.text.lower()
        message = f"no matcher is spelled {name.text!r}" if known else f"unknown matcher {name.text!r}"
        return self._error(name, message, remedy=remedy, suggestion=suggestion)

    def _unexpected(self, token: Token) -> RuleError:
        if token.kind == "end":
            return self._error(token, "the rule ends where a matcher is expected")
        remedy = ""
        if token.kind == "string":
            example = self.vocabulary.example.format(token.text or self.vocabulary.word)
            remedy = f"a text stands inside a matcher, such as {example}"
        return self._error(token, f"expected a matcher here, not {self._shown(token)}", remedy=remedy)

    def _error(self, token: Token, message: str, *, remedy: str = "", suggestion: str = "") -> RuleError:
        return RuleError(
            rule=self.text,
            index=token.index,
            width=token.width,
            message=message,
            remedy=remedy,
            suggestion=suggestion,
        )

    @staticmethod
    def _shown(token: Token) -> str:
        return f"the text {token.text!r}" if token.kind == "string" else token.text or "the end"


def _example(name: str) -> str:
    return _CALL_EXAMPLES.get(name, f"{name}(`…`)")
