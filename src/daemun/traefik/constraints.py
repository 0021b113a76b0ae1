"""Constraints of a provider: which containers it looks at, told by their labels.

    Label(`tier`, `web`) && !LabelRegex(`stage`, `^dev`) ── parse_constraints ──► Rule ── satisfied(labels) ──► yes or no

Facts (Traefik v3.7): the operators of rules, and two matchers spelled exactly so; a label that is absent is an empty
text; a pattern is RE2 and not anchored. Decision: a pattern that is none is an error, where Traefik lets it match
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from daemun.errors import RuleError, nearest
from daemun.traefik.re2_match import PatternError, compile_pattern
from daemun.traefik.rule_lexer import Token
from daemun.traefik.rules import And, Match, Not, Or, Rule, Vocabulary, parse_expression

_MATCHERS = ("Label", "LabelRegex")


@lru_cache(maxsize=16)
def parse_constraints(text: str) -> Rule | None:
    """Return the constraints of a text, None when it has none. Raises RuleError."""
    return parse_expression(text, vocabulary=_VOCABULARY) if text else None


def check_constraints(text: str) -> str:
    """Return a text that can be read. Raises ValueError, with the byte where it cannot."""
    try:
        parse_constraints(text)
    except RuleError as error:
        problem = error.problem
        advice = problem.remedy or (f"did you mean {problem.suggestion}?" if problem.suggestion else "")
        message = f"byte {error.offset + 1}: {problem.message}"
        raise ValueError(f"{message} ({advice})" if advice else message) from None
    return text


def satisfied(constraints: Rule | None, labels: Mapping[str, str]) -> bool:
    """Tell whether labels are as the constraints want them."""
    match constraints:
        case None:
            return True
        case Match("LabelRegex", (name, pattern)):
            return compile_pattern(pattern).search(labels.get(name, "")) is not None
        case Match(_, (name, value)):
            return labels.get(name, "") == value
        case Not(item):
            return not satisfied(item, labels)
        case And(items):
            return all(satisfied(item, labels) for item in items)
        case Or(items):
            return any(satisfied(item, labels) for item in items)
    return False


def _check(rule: str, name: str, at: Token, arguments: Sequence[Token]) -> None:
    """Return when a matcher has two arguments and its pattern is one. Raises RuleError."""
    if len(arguments) != 2:
        wrong = arguments[2] if len(arguments) > 2 else at
        message = f"{name} takes 2 arguments, not {len(arguments)}"
        remedy = f"write {name}(`name of the label`, `{'pattern' if name == 'LabelRegex' else 'value'}`)"
        raise RuleError(rule=rule, index=wrong.index, width=wrong.width, message=message, remedy=remedy)
    if name == "LabelRegex":
        pattern = arguments[1]
        try:
            compile_pattern(pattern.text)
        except PatternError as error:
            message = f"invalid regular expression: {error}"
            raise RuleError(rule=rule, index=pattern.index, width=pattern.width, message=message) from None


def _unknown(name: str) -> tuple[str, str]:
    same = next((known for known in _MATCHERS if known.lower() == name.lower().replace("regexp", "regex")), "")
    return (same, "") if same else (nearest(name, _MATCHERS), "constraints have Label and LabelRegex")


_VOCABULARY = Vocabulary(
    spellings={name: name for name in _MATCHERS},
    example="Label(`tier`, `{}`)",
    word="web",
    check=_check,
    unknown=_unknown,
)
