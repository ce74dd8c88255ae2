"""Small multiples: where a panel's data come to lie."""

import numpy as np
import pytest

from remnist.report.panels import COLUMNS, SIDE_IN, Panels, Scale

LINEAR = Scale("x", 0, 10, {0: "0", 10: "10"})
LOGARITHMIC = Scale("y", 0.001, 1, {0.001: "0.001", 1: "1"}, np.log10)


def test_a_scale_maps_its_ends_to_0_and_1_and_what_lies_beyond_to_the_nearer():
    assert LINEAR([0, 2.5, 10, 11, -1]).tolist() == [0, 0.25, 1, 1, 0]
    assert LOGARITHMIC([0.001, 0.01, 1]) == pytest.approx([0, 1 / 3, 1])
    assert Scale("down", 10, 0, {})([10, 0]).tolist() == [0, 1]


def test_panels_stand_in_rows_and_do_not_overlap():
    names = [f"v{i}" for i in range(COLUMNS + 2)]
    panels = Panels(names, LINEAR, LOGARITHMIC)
    corners = [panels.corners[name] for name in names]
    assert len({bottom for _, bottom in corners}) == 2
    assert corners[COLUMNS][0] == corners[0][0]
    assert corners[1][0] - corners[0][0] > SIDE_IN
    assert corners[0][1] - corners[COLUMNS][1] > SIDE_IN
    width, height = panels.figure.get_size_inches()
    assert all(0 < left < width - SIDE_IN and 0 < bottom < height - SIDE_IN for left, bottom in corners)


def test_a_curve_lies_in_its_own_panel():
    panels = Panels(["a", "b"], LINEAR, LOGARITHMIC)
    panels.lines([("b", [0, 10], [0.001, 1])], color="0")
    [line] = panels.axes.collections[-1].get_segments()
    left, bottom = panels.corners["b"]
    assert line == pytest.approx(np.array([[left, bottom], [left + SIDE_IN, bottom + SIDE_IN]]))
    labels = [text.get_text() for text in panels.axes.texts]
    assert labels.count("0.001") == 1  # a row's first panel has the row's labels
    assert labels.count("10") == 2  # each column's last panel has its own
