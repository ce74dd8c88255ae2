"""The study's claims.yaml: every statement is judged, by variants that differ as they should."""

import pytest
from pydantic import ValidationError

from remnist.plan import claims, comparisons
from remnist.plan.comparisons import factors
from remnist.plan.resolve import resolve
from tests.support.studies import claim
from tests.support.variants import ROOT, study

CLAIMED = claims.read(ROOT / "claims.yaml")
STATEMENTS = range(1, 53)
LAST = {1: 9, 2: 22, 3: 31, 4: 43, 5: 52}  # statement of each report
IMAGES = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # test images of each digit

PAIRS = {n: c.variants for n, c in CLAIMED.claims.items() if len(c.variants) == 2 and c.expect != "as_published"}
CAUSES = {name: each for name, each in CLAIMED.claims.items() if each.cause}


@pytest.fixture(scope="module")
def plan():
    return resolve(study())


def test_every_statement_is_judged_in_its_report():
    judged = {(each.statement, each.report) for each in CLAIMED.claims.values()}
    assert judged == {(n, min(r for r, last in LAST.items() if n <= last)) for n in STATEMENTS}


def test_it_suits_the_study(plan):
    comparisons.check(CLAIMED, plan)
    named = set().union(*(comparisons.variants_of(each, CLAIMED.claims) for each in CLAIMED.claims.values()))
    assert named.union(CLAIMED.published, *CLAIMED.questions.values()) <= set(plan)
    assert set(CLAIMED.findings) <= set(CLAIMED.claims)
    assert {figures.report for figures in CLAIMED.published.values()} == set(LAST)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_compared_differs(name, plan):
    first, second = PAIRS[name]
    assert factors(plan[first], plan[second])


@pytest.mark.parametrize("name", CAUSES)
def test_a_control_differs_in_one_setting_from_what_it_replaces(name, plan):
    claim = CAUSES[name]
    replaced = [(a, b) for a, b in zip(claim.variants, claim.cause.control, strict=True) if a != b]
    assert replaced
    found = {tuple(factors(plan[own], plan[other])) for own, other in replaced}
    assert len(found) == 1  # the same one, where both are replaced
    assert len(found.pop()) == 1
    assert claim.expect in ("more", "less")  # else there is no difference to explain


def test_the_digits_of_report_5_are_its_accuracy():
    printed = CLAIMED.published["resnet-dropout"]
    right = sum(round(n * accuracy) for n, accuracy in zip(IMAGES, printed.digits, strict=True))
    assert right == pytest.approx(10_000 * printed.accuracy, abs=0.5)


def test_the_last_epoch_printed_is_the_end(plan):
    for name, printed in CLAIMED.published.items():
        last = printed.epochs.get(plan[name].train.epochs)
        assert last is None or (last.accuracy, last.loss) == (printed.accuracy, printed.loss)
        assert all(epoch <= plan[name].train.epochs for epoch in printed.epochs)


MARGINS = {
    "accuracy": 0.0025, "train_accuracy": 0.0025, "generalization_gap": 0.0025, "average_of_five": 0.0025,
    "vote_of_five": 0.0025, "epochs_to_reach": 0.5, "train_epochs_to_reach": 0.5, "loss": 0.05, "batch_loss_sd": 0.05,
    "loss_variation": 0.05, "digit_spread": 0.0025, "weight_norm": 0.05, "seconds_per_epoch": 0.1,
}  # fmt: skip


def test_margins_are_those_of_the_rules():
    others = {
        name for name, each in CLAIMED.claims.items()
        if each.margin is not None and not each.by_construction and each.margin != MARGINS.get(each.metric)
    }  # fmt: skip
    assert others == {"digits-alike", "roc-near-ideal"}  # which the rules do not name


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": ["a"], "metric": "digit_missing", "level": 0.5, "margin": None},
        {"variants": ["a", "b"], "metric": "average_of_five"},
    ],
)
@pytest.mark.fault("bad claims")
def test_what_the_report_could_not_judge_is_refused(changes):
    """A rate has no level, and five networks of one variant are not compared with those of another."""
    with pytest.raises(ValidationError, match="variants: "):
        claim(**changes)
