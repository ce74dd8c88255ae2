"""Small multiples: a panel a variant, all drawn in one pair of axes.

matplotlib takes a twentieth of a second for each pair of axes; three figures of a panel a variant would be most of what
the report takes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

SIDE_IN, GAP_IN, TITLE_IN = 1.62, 0.2, 0.22  # of a panel, between panels, for a panel's title
LEFT_IN, TOP_IN, BOTTOM_IN, RIGHT_IN = 0.62, 0.42, 0.5, 0.1  # for labels and legend, around all panels
COLUMNS = 5

Floats = NDArray[np.float64]
Curve = tuple[str, ArrayLike, ArrayLike]  # a panel's name, x, y


@dataclass(frozen=True)
class Scale:
    """An axis that all panels share.

    Attributes:
        label: what it shows.
        low: the value at the panel's left or lower edge.
        high: the value at the other edge.
        ticks: the labels by their values.
        transform: what makes it even: `np.log10`, say.
    """

    label: str
    low: float
    high: float
    ticks: Mapping[float, str]
    transform: Callable[[Any], Any] = np.asarray

    def __call__(self, values: ArrayLike) -> Floats:
        """Map values to 0 (low) to 1 (high), what lies beyond to the edge."""
        low, high = self.transform(self.low), self.transform(self.high)
        return np.clip((self.transform(np.asarray(values, dtype=float)) - low) / (high - low), 0, 1)


class Panels:
    """A figure of panels, `COLUMNS` beside each other.

    Args:
        names: a panel each, which it is titled with.
        x: the horizontal axis; ticks are labelled under each column's last panel.
        y: the vertical axis; ticks are labelled left of each row.
    """

    def __init__(self, names: Sequence[str], x: Scale, y: Scale) -> None:
        self.x, self.y = x, y
        rows = -(-len(names) // COLUMNS)
        columns = min(COLUMNS, len(names))
        pitch = SIDE_IN + TITLE_IN + GAP_IN
        width = LEFT_IN + columns * (SIDE_IN + GAP_IN) - GAP_IN + RIGHT_IN
        height = TOP_IN + rows * pitch + BOTTOM_IN - GAP_IN
        self.corners = {
            name: (LEFT_IN + i % COLUMNS * (SIDE_IN + GAP_IN), height - TOP_IN - (i // COLUMNS + 1) * pitch + GAP_IN)
            for i, name in enumerate(names)
        }
        self.figure: Figure = plt.figure(figsize=(width, height))
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # in inches
        self.axes.set_axis_off()
        self._draw_frames(columns)

    def _draw_frames(self, columns: int) -> None:
        names = list(self.corners)
        across = [(name, [self.x.low, self.x.high], [tick] * 2) for name in names for tick in self.y.ticks]
        along = [(name, [tick] * 2, [self.y.low, self.y.high]) for name in names for tick in self.x.ticks]
        self.lines(across + along, color="0.9", linewidth=0.6, zorder=-1)  # behind bands and images
        for i, (name, (left, bottom)) in enumerate(self.corners.items()):
            self.axes.add_patch(Rectangle((left, bottom), SIDE_IN, SIDE_IN, fill=False, color="0.8", lw=0.6))
            self.axes.text(left + SIDE_IN / 2, bottom + SIDE_IN + 0.05, name, ha="center", size=8)
            if i % COLUMNS == 0:
                for tick, label in self.y.ticks.items():
                    level = bottom + float(self.y(tick)) * SIDE_IN
                    self.axes.text(left - 0.05, level, label, ha="right", va="center", size=7)
            if i + columns >= len(names):
                for tick, label in self.x.ticks.items():
                    share = float(self.x(tick))
                    side = "left" if share == 0 else "right" if share == 1 else "center"
                    self.axes.text(left + share * SIDE_IN, bottom - 0.05, label, ha=side, va="top", size=7)
        width, height = self.figure.get_size_inches()
        self.axes.text(width / 2, 0.1, self.x.label, ha="center", size=9)
        self.axes.text(0.06, height / 2, self.y.label, va="center", rotation="vertical", size=9)

    def place(self, name: str, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Map a panel's data to the figure's inches."""
        left, bottom = self.corners[name]
        return left + self.x(x) * SIDE_IN, bottom + self.y(y) * SIDE_IN

    def lines(self, curves: Sequence[Curve], **style: Any) -> None:
        """Draw a line for each curve."""
        self.axes.add_collection(LineCollection([np.column_stack(self.place(*curve)) for curve in curves], **style))

    def bands(self, bands: Sequence[tuple[str, ArrayLike, ArrayLike, ArrayLike]], **style: Any) -> None:
        """Fill what lies between two curves over the same x, for each of (name, x, low, high)."""
        outlines = [
            np.concatenate(
                [np.column_stack(self.place(name, x, low)), np.column_stack(self.place(name, x, high))[::-1]]
            )
            for name, x, low, high in bands
        ]
        self.axes.add_collection(PolyCollection(outlines, **style))

    def image(self, name: str, values: Floats, **style: Any) -> Any:
        """Draw a matrix, its first row on top, and return it for a colour bar."""
        left, bottom = self.corners[name]
        extent = (left, left + SIDE_IN, bottom, bottom + SIDE_IN)
        return self.axes.imshow(values, extent=extent, aspect="auto", interpolation="nearest", **style)

    def legend(self, styles: Mapping[str, Mapping[str, Any]]) -> None:
        """Name line styles above all panels."""
        handles = [Line2D([], [], label=label, **style) for label, style in styles.items()]
        self.figure.legend(handles=handles, loc="upper center", ncols=len(handles), frameon=False)

    def colorbar(self, image: Any, label: str) -> None:
        """Explain an image's colours above all panels."""
        width, height = self.figure.get_size_inches()
        bar = self.figure.add_axes((0.5, 1 - 0.22 / height, 1.6 / width, 0.1 / height))
        self.figure.colorbar(image, cax=bar, orientation="horizontal", extend="max").ax.tick_params(labelsize=7)
        bar.text(-0.06, 0.5, label, ha="right", va="center", size=8, transform=bar.transAxes)
