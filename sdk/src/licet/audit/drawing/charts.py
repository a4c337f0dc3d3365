"""Charts as SVG in a page: drawn without scripts, in their own proportions at any width, with what they say in words.

x and width are percentages and y is in pixels, so that text keeps its size on a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

_HEIGHT: Final = 150
_TOP: Final = 22


def columns(values: Sequence[tuple[str, int]], name: str, title: str, says: str, every: int = 5) -> str:
    """Return a column for each of ``values``, by label; every ``every``-th label is written below.

    ``name`` tells this chart's words from those of another in the page.
    """
    most = max((value for _, value in values), default=0)
    base, step = _TOP + _HEIGHT, 100 / max(1, len(values))
    named = f'role="img" aria-labelledby="{name}-t {name}-d"'
    words = f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(says)}</desc>'
    drawn = [f'<svg class="chart" width="100%" height="{base + 24}" {named}>{words}']
    for part in (0, 2) if most % 2 else (0, 1, 2) if most else (0,):
        y = base - part * _HEIGHT // 2
        drawn.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        if part:
            drawn.append(f'<text x="0" y="{y - 5}">{most * part // 2:,}</text>')
    for place, (label, value) in enumerate(values):
        x, height = place * step, round(value / most * _HEIGHT) if most else 0
        if value:
            height = max(1, height)
            drawn.append(
                f'<rect class="up" x="{x + step * 0.15:.2f}%" y="{base - height}" width="{step * 0.7:.2f}%"'
                f' height="{height}"/>'
            )
        if place == 0 or (place + 1) % every == 0:
            drawn.append(f'<text x="{x + step / 2:.2f}%" y="{base + 18}" text-anchor="middle">{escape(label)}</text>')
    return "".join(drawn) + "</svg>\n"


def share(part: int, whole: int) -> str:
    """Return a bar that shows ``part`` of ``whole``; what it says stands in words beside it."""
    width = 100 * part / whole if whole else 0
    return (
        '<svg class="share" width="100%" height="8" aria-hidden="true">'
        f'<rect class="a" width="{width:.2f}%" height="8"/></svg>'
    )
