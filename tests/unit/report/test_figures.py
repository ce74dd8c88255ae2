"""The figures: the same bits each time, and one panel a question."""

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
