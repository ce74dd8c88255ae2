"""The study's claims.yaml, and what is refused there."""

import json

import pytest

from remnist.errors import UserError
from remnist.plan import claims
from remnist.plan.claims import Comparison
from tests.support.studies import variant
from tests.support.variants import ROOT

GOOD = {"report": 1, "says": "a beats b", "variants": ["a", "b"], "expect": "more"}


@pytest.fixture
def study():
    return claims.read(ROOT / "claims.yaml")


def test_every_claim_is_of_variants_that_there_are(params, study):
    named = set().union(*map(claims.variants_of, study.claims.values()))
    assert named <= set(params["variants"])
    assert {each.report for each in study.claims.values()} == {1, 2, 3, 4, 5}


def test_every_variant_was_published_or_is_a_control(params, study):
    controls = [name for name in params["variants"] if name not in study.published]
    assert set(study.published) < set(params["variants"])
    assert controls == list(params["variants"])[-len(controls) :]
    assert len(controls) == 14
    assert {figures.report for figures in study.published.values()} == {1, 2, 3, 4, 5}


def read(folder, claimed, published):
    path = folder / "claims.yaml"
    content = {
        "data": "mnist",
        "reference": "a",
        "reports": {1: {"title": "one"}},
        "published": published,
        "claims": claimed,
    }
    path.write_text(json.dumps(content).replace('"1":', "1:"))
    found = claims.read(path)
    claims.check(found, dict.fromkeys("abx", variant(2)))
    return found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expect": "better"}, "claims.x.expect: \"better\": allowed: 'more', 'less'"),
        ({"metric": "speed"}, "claims.x.metric: \"speed\": allowed: 'accuracy'"),
        ({"expect": "same"}, "margin: goes with same"),
        ({"margin": 0.1}, "margin: goes with same"),
        ({"expect": "same", "margin": 0.1, "at_least": 0.1}, "at_least: goes with more and less"),
        ({"variants": ["a"]}, "level: goes with one variant"),
        ({"level": 0.5}, "level: goes with one variant"),
        ({"variants": ["a", "b", "c"]}, "claims.x.variants"),
        ({"variants": []}, "level: goes with"),
        ({"metric": "epochs_to_reach"}, "reach: goes with epochs_to_reach"),
        ({"report": 6}, "claims.x.report: 6"),
        ({"cause": {"words": "x"}}, "claims.x.cause: .*shown_by or lost_digits"),
        ({"verdict": "upheld"}, "claims.x.verdict"),
    ],
)
def test_bad_claims(tmp_path, changes, message):
    assert read(tmp_path, {"x": GOOD}, {}).claims["x"].at_least == 0
    with pytest.raises(UserError, match=message):
        read(tmp_path, {"x": GOOD | changes}, {})


@pytest.mark.parametrize(
    ("value", "path"),
    [({"report": 6}, "published.x.report: 6"), ({"accuracy": 0.9}, "published.x.report"), (3, "published.x: 3"),
     ({"report": 1, "accuracy": 97.1}, "published.x.accuracy: 97.1"), ({"report": 1, "loss": "?"}, "published.x.loss")],
)  # fmt: skip
def test_bad_published_value(tmp_path, value, path):
    with pytest.raises(UserError, match=path):
        read(tmp_path, {}, {"x": value})


def test_comparison_stands_alone():
    assert Comparison(variants=["a", "b"], expect="more").metric == "accuracy"
