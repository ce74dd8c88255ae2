"""The figures: the same bits each time, and one panel a question."""

import matplotlib as mpl
import pytest

from remnist.plan.claims import Published
from remnist.report import figures, questions, verdicts
from tests.support.studies import SCORES, claim, claims_of, render, study


def test_figures_are_the_same_to_the_byte(results, two, tmp_path):
    claimed = two
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


@pytest.fixture
def two():
    """The two variants, published by one report, which says that one beats the other."""
    published = {name: Published(report=1, accuracy=0.9, epochs={2: {"accuracy": 0.8}}) for name in SCORES}
    return claims_of({"x": claim(variants=list(SCORES), published=0.1)}, published)


def test_curves_are_drawn_by_question_and_not_by_variant(results, claimed):
    of = {"One of them": ["mlp-baseline"], "Both": ["mlp-baseline", "lr-1e-4"], "Neither": ["mlp-adam"]}
    asked = questions.asked(results, claimed.model_copy(update={"questions": of}))
    assert [question.title for question in asked] == ["One of them", "Both"]
    for draw, panels in ((figures.learning_curves, 2), (figures.roc, 2)):
        axes = draw(asked, results).axes
        assert len(axes) == panels * len(asked)
        named = [{text.get_text() for text in each.get_legend().texts} for each in axes[panels - 1 :: panels]]
        assert named == [{"mlp-baseline"}, {"mlp-baseline", "lr-1e-4"}]


def test_without_questions_curves_are_drawn_by_report(results, claimed):
    asked = questions.asked(results, claimed.model_copy(update={"questions": {}}))
    assert asked == questions.group(results, claimed)
    assert len(figures.learning_curves(asked, results).axes) == 2 * len(asked)


def test_a_legend_has_the_order_of_its_lines(results, two):
    figure = figures.learning_curves(questions.asked(results, two), results)
    assert [text.get_text() for text in figure.axes[1].get_legend().texts] == ["mlp-baseline", "lr-1e-4"]


def test_a_claim_is_drawn_in_margins(results, two):
    """80 and 50 % on average: 30 points, or 15 margins of 2; published, 10 points."""
    [judged] = verdicts.judge(
        results, two.model_copy(update={"claims": {"x": two.claims["x"].model_copy(update={"margin": 0.02})}})
    )
    axes = figures.claims([judged]).axes[0]
    points = [tuple(point) for each in axes.collections for point in getattr(each, "get_offsets", list)()]
    assert any(point == pytest.approx((15, 1)) for point in points)
    assert any(point == pytest.approx((5, 1)) for point in points)
    assert judged.outcome in [text.get_text() for text in axes.texts]


def test_a_claim_without_an_interval_has_a_row_and_no_point(results, two):
    untold = verdicts.judge(results, claims_of({"x": claim(variants=["mlp-adam", "mlp-baseline"], says="as it is")}))
    axes = figures.claims(untold).axes[0]
    assert "as it is" in [label.get_text() for label in axes.get_yticklabels()]
    assert "not testable" in [text.get_text() for text in axes.texts]


TEXTS = ["Dropout $p_{0.5$ or $0.2$", "P(a|b) <b>x</b>", "100 % \\alpha", "_x_", "&amp;"]


@pytest.mark.parametrize("says", TEXTS)
@pytest.mark.fault("texts that mean something to a renderer")
def test_a_text_is_drawn_as_it_is(results, two, tmp_path, says):
    reports = {number: report.model_copy(update={"title": says}) for number, report in two.reports.items()}
    made = {
        "claims": {"x": claim(variants=list(SCORES), says=says)},
        "reports": reports,
    }
    claimed = two.model_copy(update=made)
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


def test_published_accuracies_are_drawn_at_their_epochs_and_at_the_end(results):
    """0.75 at the end, which is epoch 2, and 0.8 after epoch 1."""
    printed = Published(report=1, accuracy=0.75, epochs={1: {"accuracy": 0.8}})
    asked = questions.group(results, claims_of(published={"mlp-baseline": printed}))
    test = figures.learning_curves(asked, results).axes[1]
    [marks] = [each for each in test.collections if len(each.get_offsets()) and each.get_offsets()[0][0] > 0]
    assert [tuple(point) for point in marks.get_offsets()] == [
        (2, pytest.approx(0.25)), (1, pytest.approx(0.2)),
    ]  # fmt: skip


def test_a_run_that_lacks_a_digit_has_a_line_of_its_own():
    results = study({"a": [0.9, 0.92, 0.8], "b": [0.9, 0.9]}, missing={"a": [False, False, True], "b": [True, True]})
    asked = questions.group(results, claims_of())
    train, test = figures.learning_curves(asked, results).axes
    for axes in (train, test):
        assert len([line for line in axes.lines if line.get_linewidth() < 1]) == 1
        assert len([line for line in axes.lines if line.get_linewidth() > 1]) == 2
