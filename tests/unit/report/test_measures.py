"""The values that claims compare: each metric by hand, and epochs that are never reached."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from remnist.report import tables
from remnist.report.measures import NotMeasuredError, at_shared_seeds, same_architecture, sample
from tests.support.studies import claim, study, variant

NAN = float("nan")
# Of two runs over three epochs: what each metric is of is written out, epochs 0 to 3, digits 0 to 9.
TEST_LOSS = ([2.3, 0.5, 0.3, 0.4], [2.4, 0.6, 0.5, 0.4])
TEST_ACCURACY = ([0.1, 0.95, 0.94, 0.96], [0.95, 0.9, 0.9, 0.97])
TRAIN_ACCURACY = ([0.1, 0.96, 0.97, 0.99], [0.1, 0.2, 0.3, 0.98])
DIGITS = ([0.9, *[0.95] * 8, 0.99], [0.8, *[0.98] * 9])
BATCH_SD = ([NAN, 0.3, 0.2, 0.1], [NAN, 0.2, 0.4, 0.3])


@pytest.fixture
def results():
    """A study whose variant a has these two runs."""
    made = study({"a": [0.96, 0.97]}, test={"a": [[0.9] * 3] * 2}, losses={"a": [0.4, 0.5]})
    by_epoch = {"test_loss": TEST_LOSS, "test_accuracy": TEST_ACCURACY, "train_accuracy": TRAIN_ACCURACY,
                "batch_loss_sd": BATCH_SD}  # fmt: skip
    curves = made.curves.assign(**{name: np.concatenate(runs) for name, runs in by_epoch.items()})
    digits = made.per_digit.assign(accuracy=np.concatenate(DIGITS))
    return again(made, made.runs, curves, digits)


def again(made, runs, curves, digits):
    """Return a study with what follows from its runs, curves and digits."""
    own = ["variant", "seed", "parameters", "weight_norm", "accuracy", "loss", "roc_auc_worst_digit"]
    return dataclasses.replace(
        made, runs=tables.run_metrics(runs[own], curves, digits), curves=curves, per_digit=digits
    )


def values(results, variants=("a",), **changes) -> list:
    stated = {"variants": ["a"], "level": 0.0} if len(variants) < 2 else {}
    stated["margin"] = None if changes.get("metric") in ("diverged", "digit_missing") else 0.1
    if not stated["margin"]:
        stated |= {"variants": ["a", "b"], "level": None}
    return [each.values.to_list() for each in sample(results, claim(**(stated | changes)), list(variants))]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric": "accuracy"}, [0.96, 0.97]),
        ({"metric": "accuracy", "epoch": 0}, [0.1, 0.95]),
        ({"metric": "accuracy", "epoch": 2}, [0.94, 0.9]),
        ({"metric": "loss"}, [0.4, 0.5]),
        ({"metric": "loss", "epoch": 0}, [2.3, 2.4]),
        ({"metric": "loss", "epoch": 1}, [0.5, 0.6]),
        ({"metric": "train_accuracy"}, [0.99, 0.98]),
        ({"metric": "generalization_gap"}, [0.03, 0.01]),
        ({"metric": "batch_loss_sd"}, [0.1, 0.3]),
        # Changes after the first epoch: -0.2 and 0.1, whose mean is -0.05; -0.1 twice.
        ({"metric": "loss_variation"}, [(2 * 0.15**2) ** 0.5, 0]),
        ({"metric": "digit_spread"}, [0.09, 0.18]),
        ({"metric": "roc_auc_worst_digit"}, [0.98, 0.98]),
        ({"metric": "weight_norm"}, [3, 3]),
        ({"metric": "parameters"}, [7, 7]),
        ({"metric": "epochs_to_reach", "reach": 0.95}, [1, 0]),
        ({"metric": "epochs_to_reach", "reach": 0.96}, [3, 3]),
        ({"metric": "epochs_to_reach", "reach": 0.97}, [NAN, 3]),
        ({"metric": "epochs_to_reach", "reach": 0.99}, [NAN, NAN]),
        ({"metric": "train_epochs_to_reach", "reach": 0.97}, [2, 3]),
        ({"metric": "train_epochs_to_reach", "reach": 0.99}, [3, NAN]),
        ({"metric": "diverged"}, [0, 0]),
        ({"metric": "digit_missing"}, [0, 0]),
        ({"metric": "seconds_per_epoch"}, [1.01, 1.02, 1.03]),  # by round
    ],
)
def test_metrics_by_hand(results, changes, expected):
    [found] = values(results, **changes)
    assert found == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(("loss", "train", "diverged"), [(NAN, 0.99, 1), (0.1, 0.19, 1), (0.1, 0.2, 0), (9.9, 0.9, 0)])
def test_a_run_diverged_if_it_has_no_loss_or_learnt_nothing(results, loss, train, diverged):
    """Twice chance is 0.2, of ten classes."""
    runs, curves = results.runs.copy(), results.curves.copy()
    runs.loc[1, "loss"] = loss
    curves.loc[curves.index[-1], "train_accuracy"] = train
    assert values(again(results, runs, curves, results.per_digit), metric="diverged") == [[0, diverged]]


@pytest.mark.parametrize(("accuracy", "missing"), [(0.4999, 1), (0.5, 0)])
def test_a_digit_is_missing_below_half(results, accuracy, missing):
    digits = results.per_digit.copy()
    digits.loc[3, "accuracy"] = accuracy
    changed = again(results, results.runs, results.curves, digits)
    assert values(changed, metric="digit_missing") == [[missing, 0]]
    assert values(changed, found_digits=True) == [[0.96, 0.97][missing:]]
    assert values(changed, found_digits=True, metric="accuracy", epoch=2) == [[0.94, 0.9][missing:]]
    assert values(changed, found_digits=True, metric="epochs_to_reach", reach=0.96) == [[3, 3][missing:]]


def test_a_metric_of_the_last_epoch_is_not_that_of_an_earlier_one(results):
    """A run that diverges in its last epoch has no scatter of batch losses there, whatever it had before."""
    curves = results.curves.copy()
    curves.loc[curves.index[-1], "batch_loss_sd"] = NAN
    changed = again(results, results.runs, curves, results.per_digit)
    with pytest.raises(NotMeasuredError, match=r"1 of 2 runs of `?a`? have no finite batch_loss_sd"):
        values(changed, metric="batch_loss_sd")


def test_the_variation_of_a_loss_that_was_lost_is_not_that_before():
    made = study({"a": [0.9, 0.9]}, test={"a": [[0.9] * 5] * 2})
    curves = made.curves.copy()
    curves.loc[curves.index[-1], "test_loss"] = NAN
    changed = again(made, made.runs, curves, made.per_digit)
    with pytest.raises(NotMeasuredError, match=r"1 of 2 runs of `?a`? have no finite loss_variation"):
        values(changed, metric="loss_variation")


def test_a_loss_that_is_not_finite_has_no_mean(results):
    results.runs.loc[0, "loss"] = NAN
    with pytest.raises(NotMeasuredError, match=r"1 of 2 runs of `?a`? have no finite loss"):
        values(results, metric="loss")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variants": ("z",)}, "there is no variant `?z`?"),
        ({"metric": "accuracy", "epoch": 9}, "`?a`? has no epoch 9"),
        ({"metric": "seconds_per_epoch"}, "a has no seconds per epoch"),
        ({"metric": "average_of_five"}, "`?a`? has fewer than 5 seeds"),
        ({"found_digits": True}, "a has no run that found every digit"),
    ],
)
def test_what_was_not_measured(results, changes, message):
    nothing = dataclasses.replace(
        results, seconds=results.seconds[:0], ensembles=results.ensembles.assign(members=2),
        runs=results.runs.assign(digit_missing=True),
    )  # fmt: skip
    with pytest.raises(NotMeasuredError, match=message):
        values(nothing, **changes)


def test_epochs_are_compared_up_to_the_last_that_both_have():
    curves = {"a": [[0.9] * 6 + [0.95]] * 2, "b": [[0.9, 0.95, 0.95]] * 2}
    made = study({"a": [0.9] * 2, "b": [0.9] * 2}, test=curves)
    claimed = claim(metric="epochs_to_reach", reach=0.95)
    assert [each.horizon for each in sample(made, claimed, ["a", "b"])] == [3, 3]
    assert [each.censored for each in sample(made, claimed, ["a", "b"])] == [2, 0]
    assert [each.values.to_list() for each in sample(made, claimed, ["a"])] == [[7, 7]]


def test_only_seeds_in_common_make_pairs():
    made = study({"a": [0.9, 0.91, 0.92], "b": [0.8, 0.81]})
    made.runs.loc[made.runs["variant"] == "b", "seed"] = [2, 1]
    first, second = at_shared_seeds(sample(made, claim(), ["a", "b"]))
    assert dict(zip(first, second, strict=True)) == {0.91: 0.81, 0.92: 0.8}


@pytest.mark.parametrize(("metric", "gain"), [("average_of_five", 0.01), ("vote_of_five", 0.005)])
def test_five_networks_against_the_mean_of_one(metric, gain):
    made = study({name: [0.9, 0.91 + place / 1000] for place, name in enumerate("abcd")})
    of_seven = made.ensembles.assign(members=7, average=1.0, vote=1.0)
    made = dataclasses.replace(made, ensembles=pd.concat([of_seven, made.ensembles]))
    [one] = sample(made, claim(variants=["c"], metric=metric, level=0.0), ["c"])
    assert (one.values.to_list(), one.image_se) == (pytest.approx([gain]), 0.002)
    [every] = sample(made, claim(variants=[], metric=metric, level=0.0), [])
    assert sorted(every.values.index) == list("abcd")
    assert every.values.to_list() == pytest.approx([gain] * 4)
    assert every.image_se is None


def test_variants_with_other_test_images_are_not_compared():
    made = study({"a": [0.9, 0.8], "b": [0.9, 0.8]})
    made.labels["b"] = np.array([0, 1, 1, 0], np.uint8)
    with pytest.raises(NotMeasuredError, match=r"`?a`? and `?b`? have other test images"):
        sample(made, claim(), ["a", "b"])


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        ("mlp-baseline", "mlp-dropout-50", True),
        ("mlp-baseline", "batch-100", True),
        ("mlp-baseline", "mlp-deep-500", False),
        ("batch-100", "image-14", False),
        ("capacity-256", "activation-gelu", False),
        ("capacity-256", "regularize-batchnorm", False),
        ("resnet-plain", "resnet-dropout", True),
        ("resnet-plain", "mlp-baseline", False),
    ],
)
def test_runs_are_pairs_where_a_seed_starts_both_alike(first, second, pairs):
    assert same_architecture(variant(2, name=first), variant(2, name=second)) is pairs
