"""The values that the templates fill in: their format, and tables that they do not break."""

import pandas as pd
import pytest
from jinja2 import UndefinedError

from remnist.report import markdown
from remnist.review import rendering


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("a\nb", r"a\\nb"),
        ("<img src=x>", r"\<img src=x\>"),
        ("*so* ~so~ `so`", r"\*so\* \~so\~ \`so\`"),
        ("[text](link)", r"[text\](link)"),
        ("_so_ cross_entropy [100, 80]", r"\_so\_ cross_entropy [100, 80]"),
    ],
)
def test_text_is_shown_as_it_is(text, shown):
    assert markdown.escape(text) == shown
    assert markdown.escape(markdown.escape(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("a_b*", "`a_b*`"), ("a|b", r"`a\|b`"), ("a`b", "`` a`b ``"), ("a\nb", r"`a\nb`")]
)
def test_code_is_shown_as_it_is(text, shown):
    assert markdown.code(text) == shown


POINTS, SHARES = ("accuracy", "generalization_gap", "vote_of_five"), ("loss", "weight_norm")


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("epochs_to_reach", "-0.0"),
        ("roc_auc_worst_digit", "-0.01250"),
        *((metric, "-1.25") for metric in POINTS),
        *((metric, "-1.2") for metric in SHARES),
    ],
)
def test_a_difference_is_in_its_metrics_unit(metric, shown):
    """Points for accuracies and rates, per cent for losses, times and norms."""
    assert rendering.difference(-0.0125, metric) == shown
    assert rendering.difference(None, metric) == ""


@pytest.mark.parametrize(
    ("seeds", "shown"), [([], ""), ([0.5], "50.00 %"), ([0.5, 0.5], "50.00 ± 0.00 %"), ([0.9, 0.92], "91.00 ± 1.41 %")]
)
def test_accuracies_are_a_mean_and_a_spread_if_there_is_one(seeds, shown):
    assert rendering.spread(pd.Series(seeds, dtype=float)) == shown


def test_a_template_names_nothing_that_it_is_not_given():
    with pytest.raises(UndefinedError, match="is undefined"):
        rendering.render("review.md.j2")
