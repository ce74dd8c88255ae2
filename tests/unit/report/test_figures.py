"""The figures: the same bits each time, and one panel a question."""

import matplotlib as mpl
import pytest

from remnist.plan.claims import Published
from remnist.report import figures, questions, verdicts
from tests.support.studies import claims_of, render


def test_figures_are_the_same_to_the_byte(results, claimed, tmp_path):
    judged, asked = verdicts.judge(results, claimed), questions.group(results, claimed)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for figure in figures.OF_RESULTS:
            figures.draw(figure, tmp_path / name, asked, results)
        figures.draw("claims", tmp_path / name, judged)
    drawn = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert drawn == sorted(f"{name}.png" for name in [*figures.OF_RESULTS, "claims"])
    text = render(results, claimed)
    assert text == render(results, claimed)
    for name in drawn:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
        assert f"(plots/{name})" in text


def test_curves_are_drawn_by_question_and_not_by_variant(results, claimed):
    asked = questions.group(results, claimed)
    assert [question.report for question in asked] == [1, 2, 3]
    for draw in (figures.learning_curves, figures.roc):
        axes = draw(asked, results).axes
        assert len(axes) == 2 * len(asked)
        named = [[text.get_text() for text in each.get_legend().texts] for each in axes[1::2]]
        assert named == [["mlp-baseline"], ["lr-1e-4"], ["mlp-baseline"]]


def test_a_legend_has_the_order_of_its_lines(results):
    claimed = claims_of(published={"lr-1e-4": Published(report=1), "mlp-baseline": Published(report=1)})
    figure = figures.learning_curves(questions.group(results, claimed), results)
    assert [text.get_text() for text in figure.axes[1].get_legend().texts] == ["mlp-baseline", "lr-1e-4"]


TEXTS = ["Dropout $p_{0.5$ or $0.2$", "P(a|b) <b>x</b>", "100 % \\alpha", "_x_", "&amp;"]


@pytest.mark.parametrize("says", TEXTS)
@pytest.mark.fault("texts that mean something to a renderer")
def test_a_text_is_drawn_as_it_is(results, claimed, tmp_path, says):
    name, claim = next(iter(claimed.claims.items()))
    reports = {number: report.model_copy(update={"title": says}) for number, report in claimed.reports.items()}
    claimed = claimed.model_copy(update={"claims": {name: claim.model_copy(update={"says": says})}, "reports": reports})
    judged, asked = verdicts.judge(results, claimed), questions.group(results, claimed)
    figures.draw("accuracy", tmp_path, asked, results)
    figures.draw("claims", tmp_path, judged)
    with mpl.rc_context({"text.parse_math": False}):
        labels = figures.claims(judged).axes[0].get_yticklabels()
    assert says in [label.get_text() for label in labels]


def test_figures_heed_no_settings_but_the_projects(results, claimed, tmp_path):
    asked = questions.group(results, claimed)
    for name, settings in (("own", {}), ("others", {"text.usetex": True, "lines.linewidth": 9, "font.size": 30})):
        (tmp_path / name).mkdir()
        with mpl.rc_context(settings):
            figures.draw("roc", tmp_path / name, asked, results)
    assert (tmp_path / "own/roc.png").read_bytes() == (tmp_path / "others/roc.png").read_bytes()
