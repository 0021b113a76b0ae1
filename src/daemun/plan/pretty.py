"""A Plan as JSON for people: what fits on a line stands on one, the rest is indented.

For `tests/golden/plan`, for showing a Plan and for comparing two of them with a textual diff. Reading it back gives
the same Plan.
"""

from __future__ import annotations

import json

from daemun.plan.plan import Plan, to_tree

WIDTH = 118


def pretty(plan: Plan) -> str:
    """Return the Plan as indented JSON that ends in a line feed."""
    return _text(to_tree(plan), 0, 0) + "\n"


def _text(value: object, indent: int, used: int) -> str:
    """Write `value`; `used` is what stands before and after it on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + used <= WIDTH or not isinstance(value, (dict, list, tuple)) or not value:
        return flat
    inner = indent + 2
    if isinstance(value, dict):
        heads = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        lines = [
            head + _text(one, inner, inner + len(head) + 1) for head, one in zip(heads, value.values(), strict=True)
        ]
        opening, closing = "{", "}"
    else:
        lines = [_text(one, inner, inner + 1) for one in value]
        opening, closing = "[", "]"
    pad = " " * inner
    body = ",\n".join(pad + line for line in lines)
    return f"{opening}\n{body}\n{' ' * indent}{closing}"
