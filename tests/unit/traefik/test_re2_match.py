"""RE2 patterns as Python matches them."""

from __future__ import annotations

import pytest

from daemun.traefik.re2_match import PatternError, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", True),
        (r"^\d+$", "12", True),
        (r"^\d+$", "١٢", False),
        (r"\w", "é", False),
        (r"c\z", "abc", True),
        (r"\\z", "a\\z", True),
        ("(?i)ABC", "abc", True),
        ("(?P<n>a)(?<m>b)", "ab", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        ("^[[:alpha:]_]+$", "ab_", True),
        ("^[[:^alpha:]]", "1", None),
        (r"\x{41}", "A", True),
    ],
)
def test_what_re2_means_is_matched(pattern: str, text: str, expected: bool | None) -> None:  # noqa: FBT001 - a table's column
    """Searched for anywhere, classes of ASCII; what Python does not have is refused."""
    if expected is None:
        with pytest.raises(PatternError):
            compile_pattern(pattern)
    else:
        assert (compile_pattern(pattern).search(text) is not None) is expected


@pytest.mark.parametrize("pattern", ["(", "a**", "(?=a)", r"\C", r"\pL", "a(?i)b", "(?U)a*", "[[:nonsense:]]"])
def test_what_is_no_re2_or_cannot_be_matched_is_refused(pattern: str) -> None:
    """With a reason, and never as a warning of Python's."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert 0 <= caught.value.index <= len(pattern)
