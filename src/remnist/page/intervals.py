"""The small picture of a difference in a row of the ledger: its interval in margins, and the published difference."""

import math
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 132, 18  # pixels
MARGINS = 8  # from zero to either edge
SCALE = math.asinh(MARGINS)  # half the width, in the inverse hyperbolic sine of margins


def draw(difference: dict[str, Any]) -> Markup:
    """Return a difference as SVG, whose colours the page's style decides; nothing where it has no margin.

    The scale separates values near the margin and still holds distant ones; those beyond `MARGINS` stand on the edge.

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
    published, diamond = difference["published"], Markup("")
    words = "{mean:+g} {unit} [{low:+g}, {high:+g}], margin {margin:g}".format(**difference)
    if published is not None:
        words += f", published {published:+g}"
        diamond = Markup('<path class="published" d="M{} {}l4 5l-4 5l-4-5z"/>').format(x(published), middle - 5)
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
