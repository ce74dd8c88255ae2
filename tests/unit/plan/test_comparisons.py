"""What one claim may say, the published figures that it is about, and the settings in which variants differ."""

from typing import Any

import pytest

from remnist.plan import claims, comparisons
from remnist.plan.claims import Claim, Published
from remnist.plan.resolve import resolve
from tests.support.variants import digits


def claim(**changes: Any) -> Claim:
    """Return a claim that a exceeds b, or another; None takes a setting away."""
    stated = {"report": 1, "statement": 1, "says": "x", "variants": ["a", "b"], "margin": 0.1} | changes
    return Claim(**{key: value for key, value in stated.items() if value is not None})


PRINTED = {"expect": "as_published", "margin": None}
RIGHT = {
    "a difference": {},
    "of a loss after an epoch": {"metric": "loss", "epoch": 0},
    "of epochs": {"metric": "epochs_to_reach", "reach": 0.9},
    "of epochs on training images": {"metric": "train_epochs_to_reach", "reach": 0.9},
    "of rates": {"metric": "diverged", "margin": None},
    "of times": {"metric": "seconds_per_epoch", "expect": "not_less"},
    "without margin by construction": {"by_construction": "x", "margin": None},
    "with margin by construction": {"by_construction": "x"},
    "without margin not testable": {"not_testable": "x", "margin": None},
    "without level not testable": {"not_testable": "x", "margin": None, "variants": ["a"]},
    "with cause": {"cause": {"words": "x", "control": ["a", "c"]}},
    "a level": {"variants": ["a"], "level": 0.5},
    "five of one": {"variants": ["a"], "level": 0.0, "metric": "average_of_five"},
    "five of all": {"variants": None, "level": 0.0, "metric": "average_of_five"},
    "figures of many": {"variants": ["a", "b", "c"], "metric": "loss_by_epoch", **PRINTED},
    "figures by digit": {"variants": ["a"], "metric": "accuracy_by_digit", "found_digits": True, **PRINTED},
    "a figure": {"variants": ["a"], "published": 23.0, "metric": "epochs_to_reach", "reach": 0.9, **PRINTED},
    "a difference as published": {"published": 0.01, "rounded_to": 0.01},
    "parts": {"variants": None, "margin": None, "all_of": ["x", "y"], "note": "z"},
}


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT)
def test_settings_that_belong_together(changes):
    assert claim(**changes).says == "x"


def test_claims_of_every_expectation_but_as_published_and_every_metric_of_runs_compare_two_variants():
    for expect in ("more", "less", "same", "not_more", "not_less"):
        for metric in ("train_accuracy", "weight_norm", "parameters", "seconds_per_epoch"):
            assert claim(expect=expect, metric=metric).expect == expect


PUBLISHED = {
    "a": Published.model_validate({
        "report": 1, "accuracy": 0.97, "loss": 0.1, "digits": [d / 10 for d in range(10)],
        "epochs": {8: {"accuracy": 0.96, "loss": 0.2}, 9: {"accuracy": 0.95}},
    }),
    "words": Published(report=1, words="poor", epochs={}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {None: 0.97}),
        ({"metric": "loss"}, {None: 0.1}),
        ({"epoch": 9}, {None: 0.95}),
        ({"metric": "loss", "epoch": 8}, {None: 0.2}),
        ({"metric": "loss", "epoch": 9}, {}),
        ({"epoch": 3}, {}),
        ({"metric": "accuracy_by_epoch"}, {8: 0.96, 9: 0.95}),
        ({"metric": "loss_by_epoch"}, {8: 0.2}),
        ({"metric": "accuracy_by_digit"}, {d: d / 10 for d in range(10)}),
        ({"metric": "parameters"}, {}),
        ({"metric": "parameters", "published": 7.0}, {None: 7.0}),
        ({"epoch": 0, "published": 0.0}, {None: 0.0}),
    ],
)
def test_published_figures_that_runs_are_held_against(changes, expected):
    held = claim(variants=["a"], **PRINTED, **changes)
    assert claims.figures(held, "a", PUBLISHED) == expected


@pytest.mark.parametrize("metric", ["accuracy", "accuracy_by_epoch", "accuracy_by_digit"])
@pytest.mark.parametrize("variant", ["words", "unknown"])
def test_where_no_figures_were_published_there_are_none(metric, variant):
    assert claims.figures(claim(variants=["a"], metric=metric, **PRINTED), variant, PUBLISHED) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"seeds": [0, 1, 2]}, []),
        ({"train": {"lr": 0.5}}, ["train.lr"]),
        ({"model": {"dropout": 0.5}}, ["model.dropout"]),
        ({"data": {"image_size": 14}}, ["data.image_size"]),
        ({"model": {"dropout": 0.5}, "train": {"epochs": 2, "batch_size": 7}},
         ["model.dropout", "train.batch_size", "train.epochs"]),
        ({"train": {"random_shift": 2}}, ["train.random_shift"]),
        ({"train": {"optimizer": "adam"}}, ["train.optimizer"]),  # its betas are no factor of their own
        ({"train": {"schedule": "cosine"}}, ["train.schedule"]),
        ({"train": {"loss": "mse_one_hot"}}, ["train.loss"]),
        ({"model": {"name": "mixer"}}, ["model.name"]),
    ],
)  # fmt: skip
def test_factors_are_the_settings_in_which_variants_differ_but_the_seeds(changes, expected):
    found = comparisons.factors(digits(), digits(**changes))
    assert sorted(found) == expected
    assert sorted(comparisons.factors(digits(**changes), digits())) == expected


def test_factors_between_images_and_xor_count_the_data_set_once(params):
    plan = resolve(params)
    found = comparisons.factors(plan["mlp-baseline"], plan["xor"])
    assert [factor for factor in found if factor.startswith("data")] == ["data.name"]
    assert len(found) == len(set(found))
