"""What a file of nginx's suite said, counted."""

from __future__ import annotations

from tools.nginx_tests.tap import outcome


def test_a_whole_file() -> None:
    """Every planned test ran and passed; one that is expected to fail counts as passed."""
    said = outcome("1..3\nok 1 - first\nnot ok 2 - later # TODO not yet\nok 3 - no alerts\n")
    assert said.is_whole
    assert (said.planned, said.passed, said.failed) == (3, 3, ())


def test_a_failure() -> None:
    """A failed test is named, whatever stands between the lines."""
    said = outcome("1..2\nok 1 - fine\n#   Failed test 'bad'\nnot ok 2 - bad\n")
    assert not said.is_whole
    assert said.failed == ("bad",)


def test_what_ended_early() -> None:
    """Fewer tests than planned are no pass, and neither is a plan that was never said."""
    assert not outcome("1..2\nok 1 - fine\n").is_whole
    assert not outcome("Can't start nginx at x.t line 3.\n").is_whole


def test_skipped() -> None:
    """A skipped file says why; a skipped test keeps its file from being whole."""
    assert outcome("1..0 # SKIP no stream available\n").skip_all == "no stream available"
    said = outcome("1..2\nok 1 - fine\nok 2 # skip no symlinks\n")
    assert (said.passed, said.skipped, said.is_whole) == (1, 1, False)
