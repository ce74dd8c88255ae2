"""What the study would take elsewhere: schedules of known cases, and DVC's own part on a small graph."""

import pytest

from benchmarks import projection


@pytest.mark.parametrize(
    ("runs", "workers", "minutes", "bound"),
    [
        ([60, 60, 60, 60], 1, 4, 4),
        ([60, 60, 60, 60], 4, 1, 1),
        ([60, 60, 60, 60], 500, 1, 1),
        ([120, 120, 120, 180, 180], 2, 7, 6),  # Graham's: longest first is not always shortest
        ([600, 60, 60], 3, 10, 10),
    ],
)
def test_longest_first_on_known_cases(monkeypatch, runs, workers, minutes, bound):
    monkeypatch.setattr(projection, "WORKERS", [workers])
    [row] = projection.schedule(runs).to_dict("records")
    assert row["minutes"] == pytest.approx(minutes)
    assert row["bound"] == pytest.approx(bound)
    assert row["busy"] == pytest.approx(sum(runs) / workers / minutes / 60 * 100)


def test_bookkeeping_is_measured_and_followed_by_a_parabola(monkeypatch):
    monkeypatch.setattr(projection, "measure", lambda n, files: (n, files, n + n**2 / 100, 2 * n, 3.0 * n))
    table = projection.bookkeeping()
    assert table.iloc[-1].tolist() == pytest.approx([1000, 1, 11000, 2000, 3000])


def test_graph_of_stages_that_do_nothing_runs_whole():
    variants, files, first, nothing, changed = projection.measure(2, 2)
    assert (variants, files) == (2, 2)
    assert min(first, nothing, changed) > 0
