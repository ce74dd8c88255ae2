"""The small picture of a difference in a row of the ledger: its interval in margins, and the published difference."""

import math
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 132, 18  # pixels
MARGINS = 8  # on both sides of zero; what lies further is drawn on the edge
SCALE = math.asinh(MARGINS)  # so that what is near the margin can be told apart, and what is far stays in the picture


def draw(difference: dict[str, Any]) -> Markup:
    """Return a difference as SVG, whose colours the page's style decides; nothing where it has no margin.

    Args:
        difference: `mean`, `low`, `high`, `published` (or None), `margin`, `unit`, in the same unit.
    """
    margin = difference["margin"]
    if not margin:
        return Markup("")

    def x(value: float) -> float:
        place = math.asinh(max(-MARGINS, min(MARGINS, value / margin))) / SCALE
        return round(WIDTH / 2 + place * (WIDTH / 2 - 5), 1)

    low, high, middle = x(difference["low"]), x(difference["high"]), HEIGHT / 2
    published = difference["published"]
    points = None if published is None else (x(published), middle)
    words = "{mean:+g} {unit} [{low:+g}, {high:+g}], margin {margin:g}".format(**difference)
    words += "" if published is None else f", published {published:+g}"
    diamond = Markup("") if points is None else Markup(
        '<path class="published" d="M{x} {top}l4 5l-4 5l-4-5z"/>'
    ).format(x=points[0], top=middle - 5)  # fmt: skip
    return Markup(
        '<svg class="interval" role="img" aria-label="{words}" width="{width}" height="{height}">'
        '<title>{words}</title><rect class="margin" x="{left}" y="1" width="{band}" height="{inner}"/>'
        '<path class="zero" d="M{zero} 0V{height}"/><path class="range" d="M{low} {middle}H{high}"/>'
        '<circle class="mean" cx="{mean}" cy="{middle}" r="3.5"/>{diamond}</svg>'
    ).format(
        words=words, width=WIDTH, height=HEIGHT, left=x(-margin), band=round(x(margin) - x(-margin), 1),
        inner=HEIGHT - 2, zero=x(0), low=low, high=max(high, low + 0.5), middle=middle, mean=x(difference["mean"]),
        diamond=diamond,
    )  # fmt: skip
