"""Curves over a count, both axes logarithmic, as one small SVG: read as well on paper and without a browser."""

from __future__ import annotations

import math
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH: Final = 420
HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 30, 40
_COLOURS: Final = ("#1b6ca8", "#c8553d", "#588157", "#6d597a")


class Curve(NamedTuple):
    """What is drawn as one line: positive values over positive counts."""

    label: str
    points: list[tuple[float, float]]


def panel(unit: str, curves: list[Curve]) -> list[str]:
    """Return the elements of one diagram, ``unit`` beside its axis and each line labelled above it, by colour."""
    across = _decades([count for curve in curves for count, _ in curve.points])
    up = _decades([value for curve in curves for _, value in curve.points])

    def x(count: float) -> float:
        return _LEFT + (math.log10(count) - across[0]) / (across[-1] - across[0]) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - (math.log10(value) - up[0]) / (up[-1] - up[0]) * (HEIGHT - _TOP - _BOTTOM - 30)

    drawn = [f'<text x="{_LEFT}" y="16" font-weight="bold">{escape(unit)}</text>']
    drawn += [
        f'<text x="{x(10**each):.0f}" y="{HEIGHT - 22}" text-anchor="middle">{_power(each)}</text>' for each in across
    ]
    drawn.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">keys</text>')
    for power in up:
        at = y(10.0**power)
        drawn.append(f'<path d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}" stroke="#ddd"/>')
        drawn.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_power(power)}</text>')
    for number, (curve, colour) in enumerate(zip(curves, _COLOURS, strict=False)):
        points = [f"{x(count):.1f} {y(value):.1f}" for count, value in curve.points]
        drawn.append(f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{at.split()[0]}" cy="{at.split()[1]}" r="3" fill="{colour}"/>' for at in points]
        place = f'x="{_LEFT + 180 * (number % 2)}" y="{32 + 14 * (number // 2)}"'
        drawn.append(f'<text {place} fill="{colour}">{escape(curve.label)}</text>')
    return drawn


def picture(*panels: list[str]) -> str:
    """Return the diagrams side by side as an SVG document."""
    groups = [
        f'<g transform="translate({number * WIDTH} 0)">\n' + "\n".join(each) + "\n</g>"
        for number, each in enumerate(panels)
    ]
    size = f'viewBox="0 0 {len(panels) * WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11"'
    body = "\n".join(['<rect width="100%" height="100%" fill="white"/>', *groups])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'


def _decades(values: list[float]) -> list[int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [*range(low, max(high, low + 1) + 1)]


def _power(power: int) -> str:
    digits = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}"
