"""What each matcher of a rule accepts: how many arguments, and what they may say.

Called by rules.py for each matcher it has read, with the tokens, so that an error points at the argument.
A v2 list such as Host(`a`, `b`) gets the v3 spelling as its remedy. Nothing is matched here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from daemun.config.networks import is_network
from daemun.errors import RuleError
from daemun.traefik.re2 import PatternError, check_pattern
from daemun.traefik.rule_lexer import Token

# How many arguments each matcher may have.
MATCHERS: dict[str, tuple[int, ...]] = {
    "Host": (1,),
    "HostRegexp": (1,),
    "Path": (1,),
    "PathPrefix": (1,),
    "PathRegexp": (1,),
    "Header": (2,),
    "HeaderRegexp": (2,),
    "Method": (1,),
    "Query": (1, 2),
    "QueryRegexp": (1, 2),
    "ClientIP": (1,),
}
_TOKEN_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_V2_NAMED = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*(?::[^{}]*)?\}")
_BACKTICK = "`"


def check_arguments(rule: str, name: str, at: Token, arguments: Sequence[Token]) -> None:
    """Return when the matcher's arguments are right. Raises RuleError at the wrong one."""
    allowed = MATCHERS[name]
    if len(arguments) not in allowed:
        raise _arity_error(rule, name, at, arguments)
    for token in arguments:
        if not token.text:
            raise _error(rule, token, f"{name} cannot take an empty text")
    last = arguments[-1]
    if name in {"Path", "PathPrefix"}:
        _check_path(rule, name, last)
    elif name in {"Host", "HostRegexp"} and not last.text.isascii():
        raise _error(rule, last, f"{name} takes ASCII only", remedy=_punycode(last.text))
    elif name == "ClientIP":
        _check_address(rule, last)
    elif name in {"Header", "HeaderRegexp"} and not _TOKEN_NAME.fullmatch(arguments[0].text):
        raise _error(rule, arguments[0], f"{arguments[0].text!r} cannot be the name of a header")
    if name == "Host":
        _check_host(rule, last)
    if name.endswith("Regexp") and len(arguments) == allowed[-1]:
        _check_regexp(rule, last)


def _check_path(rule: str, name: str, token: Token) -> None:
    if not token.text.startswith("/"):
        raise _error(rule, token, f"{name} must start with /", remedy=f"write {name}(`/{token.text}`)")
    if _V2_NAMED.search(token.text):
        raise _error(
            rule,
            token,
            f"{name} takes no {{name:regexp}} in v3",
            remedy="write PathRegexp(`^/…$`), with (?P<name>…) or plain groups",
        )


def _check_host(rule: str, token: Token) -> None:
    if "/" in token.text or "://" in token.text:
        raise _error(rule, token, "Host takes a name, without scheme or path", remedy="paths go into PathPrefix(`/…`)")
    if any(char.isspace() or char == "," for char in token.text):
        raise _error(rule, token, "Host takes one name", remedy="write Host(`a`) || Host(`b`)")
    if _V2_NAMED.search(token.text):
        remedy = "write Host(`*.example.com`) for one label, or HostRegexp(`^.+\\.example\\.com$`)"
        raise _error(rule, token, "Host takes no {name:regexp} in v3", remedy=remedy)


def _check_address(rule: str, token: Token) -> None:
    if not is_network(token.text):
        message = f"{token.text!r} is neither an IP address nor a range"
        raise _error(rule, token, message, remedy="write ClientIP(`10.0.0.0/8`) or ClientIP(`::1`)")


def _check_regexp(rule: str, token: Token) -> None:
    try:
        check_pattern(token.text)
    except PatternError as error:
        # Inside backticks the pattern stands as written; inside quotes escapes may have shifted it.
        raw = rule[token.index + 1 : token.index + token.width - 1]
        if raw == token.text:
            index, width = token.index + 1 + min(error.index, max(len(raw) - 1, 0)), 1
        else:
            index, width = token.index, token.width
        message = f"invalid regular expression: {error}"
        raise RuleError(rule=rule, index=index, width=width, message=message) from None


def _arity_error(rule: str, name: str, at: Token, arguments: Sequence[Token]) -> RuleError:
    allowed = MATCHERS[name]
    counts = " or ".join(str(count) for count in allowed)
    message = f"{name} takes {counts} argument{'s' if allowed[-1] > 1 else ''}, not {len(arguments)}"
    remedy = ""
    extra = at
    if len(arguments) > allowed[-1]:
        extra = arguments[allowed[-1]]
        if allowed == (1,):
            parts = [f"{name}({_quoted(token.text)})" for token in arguments]
            remedy = f"lists were v2; write {' || '.join(parts)}"
    elif name.startswith("Header"):
        remedy = f"write {name}(`X-Name`, `value`)"
    return _error(rule, extra, message, remedy=remedy)


def _quoted(text: str) -> str:
    return f"`{text}`" if _BACKTICK not in text else f'"{text}"'


def _punycode(text: str) -> str:
    try:
        ascii_name = text.encode("idna").decode()
    except UnicodeError:
        return "write international names in punycode (xn--…)"
    return f"write the name in punycode: {ascii_name}"


def _error(rule: str, token: Token, message: str, *, remedy: str = "") -> RuleError:
    return RuleError(rule=rule, index=token.index, width=token.width, message=message, remedy=remedy)
