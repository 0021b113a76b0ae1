"""The plot as SVG, written by hand: one panel a scenario with unit per request, connection or start; one bar a row.

Bars are medians of the first run, the whisker spans its rounds. Colours suit light and dark pages.
"""

import statistics
from collections.abc import Sequence
from html import escape

from bench.outcome import Outcome
from bench.report.session import Session, number

WIDTH, LABEL, RIGHT = 760, 190, 110
BAR, GAP, HEAD, FOOT = 18, 6, 44, 18
COLOURS = {"daemun": "#d9480f", "daemun run": "#e8590c"}
OTHER = "#868e96"
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#343a40}.t{font-weight:600;font-size:15px}.s{fill:#868e96}"
    "@media(prefers-color-scheme:dark){text{fill:#dee2e6}.s{fill:#adb5bd}}"
)


def draw(session: Session) -> str:
    """One SVG document."""
    parts: list[str] = []
    top = 8
    for outcomes in session.scenarios():
        panel, height = _panel(outcomes[0], top)
        parts += panel
        top += height
    parts.append(f'<text class="s" x="12" y="{top + 4}">{escape(session.machine)}, {session.began}</text>')
    height = top + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="Benchmarks of Daemun and its peers">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(outcome: Outcome, top: int) -> tuple[list[str], int]:
    longest = max(max(values) for values in outcome.rows.values()) or 1
    scale = (WIDTH - LABEL - RIGHT) / longest
    parts = [
        f'<text class="t" x="12" y="{top + 18}">{escape(outcome.title)}</text>',
        f'<text class="s" x="12" y="{top + 35}">{escape(outcome.unit)}</text>',
    ]
    for place, (name, values) in enumerate(outcome.rows.items()):
        parts += _bar(name, values, top + HEAD + place * (BAR + GAP), scale)
    return parts, HEAD + len(outcome.rows) * (BAR + GAP) + FOOT


def _bar(name: str, values: Sequence[float], top: int, scale: float) -> list[str]:
    median = statistics.median(values)
    low, high = LABEL + min(values) * scale, LABEL + max(values) * scale
    middle = top + BAR / 2
    return [
        f'<text x="{LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
        (
            f'<rect x="{LABEL}" y="{top}" width="{median * scale:.1f}" height="{BAR}" rx="2" '
            f'fill="{COLOURS.get(name, OTHER)}"/>'
        ),
        f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#343a40" stroke-width="1.5" opacity=".6"/>',
        f'<text x="{high + 6:.1f}" y="{top + 14}">{number(median)}</text>',
    ]
