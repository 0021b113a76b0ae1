"""Rule text to tokens, as Go's expression scanner would see them.

Names, `(`, `)`, `,`, `&&`, `||`, `!`, and strings in backticks (raw) or double quotes (Go escapes).
The parser in rules.py is the only reader; line breaks are ordinary blanks here, unlike in Go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from daemun.errors import RuleError

Kind = Literal["name", "string", "(", ")", ",", "&&", "||", "!", "end"]

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
      | (?P<name>[^\W\d]\w*)
      | (?P<raw>`[^`]*`)
      | (?P<quoted>"(?:[^"\\\n]|\\.)*")
      | (?P<mark>&&|\|\||[!(),])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}
_REMEDIES = {
    "`": "close the text with another backtick",
    '"': 'close the text with another double quote (on the same line; write \\" for a quote inside)',
    "'": "write texts in backticks or double quotes",
    "&": "AND is written &&",
    "|": "OR is written ||",
    "{": "v3 has no {name:regexp}; use a regexp matcher such as PathRegexp or HostRegexp",
    ";": "v2 writes rules with ; and , as v1 did not; v3 joins matchers by && and ||",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a rule at character `index`; `text` is a string's content with escapes resolved."""

    kind: Kind
    text: str
    index: int
    width: int


def tokenize(rule: str) -> list[Token]:
    """Return the tokens, the last one of kind `end`. Raises RuleError."""
    tokens: list[Token] = []
    index = 0
    while index < len(rule):
        match = _TOKEN.match(rule, index)
        if match is None:
            raise _bad_character(rule, index)
        end = match.end()
        width = end - index
        piece = match.group()
        group = match.lastgroup
        if group == "name":
            tokens.append(Token("name", piece, index, width))
        elif group == "raw":
            tokens.append(Token("string", piece[1:-1].replace("\r", ""), index, width))
        elif group == "quoted":
            tokens.append(Token("string", _unescape(rule, piece, index), index, width))
        elif group == "mark":
            tokens.append(Token(_mark(piece), piece, index, width))
        index = end
    tokens.append(Token("end", "", len(rule), 1))
    return tokens


def _mark(piece: str) -> Kind:
    marks: dict[str, Kind] = {"(": "(", ")": ")", ",": ",", "&&": "&&", "||": "||", "!": "!"}
    return marks[piece]


def _bad_character(rule: str, index: int) -> RuleError:
    char = rule[index]
    if char in '`"':
        message = "this text is never closed"
        return RuleError(rule=rule, index=index, width=len(rule) - index, message=message, remedy=_REMEDIES[char])
    remedy = _REMEDIES.get(char, "")
    return RuleError(rule=rule, index=index, width=1, message=f"{char!r} has no meaning in a rule", remedy=remedy)


def _unescape(rule: str, piece: str, index: int) -> str:
    """Resolve Go's escapes. Raises RuleError at the escape that Go would refuse."""
    body = piece[1:-1]
    if "\\" not in body:
        return body
    raw = body.encode("utf-8", "surrogatepass")
    out = bytearray()
    at = 0
    for match in _ESCAPE.finditer(raw):
        out += raw[at : match.start()]
        code = match.group(1)
        value = _escaped(code)
        if value is None:
            where = index + 1 + len(raw[: match.start()].decode("utf-8", "surrogatepass"))
            shown = "\\" + code.decode("utf-8", "replace")
            remedy = "in double quotes a backslash is written \\\\; backticks need no escapes"
            raise RuleError(rule=rule, index=where, width=2, message=f"unknown escape {shown}", remedy=remedy)
        out += value
        at = match.end()
    out += raw[at:]
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        message = "the escapes in this text do not make UTF-8"
        raise RuleError(rule=rule, index=index, width=len(piece), message=message) from None


def _escaped(code: bytes) -> bytes | None:
    """Return the bytes an escape stands for, or None when Go knows no such escape."""
    if code in _SIMPLE:
        return bytes([_SIMPLE[code]])
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[:1] in b"uU" and len(code) > 1:
        point = int(code[1:], 16)
        surrogate = 0xD800 <= point <= 0xDFFF
        return None if surrogate or point > 0x10FFFF else chr(point).encode()
    if len(code) == 3 and code.isdigit():
        octal = int(code, 8)
        return bytes([octal]) if octal < 256 else None
    return None
