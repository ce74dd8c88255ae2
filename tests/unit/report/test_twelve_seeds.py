"""The rules on the twelve seeds that they were made with: outcomes known from an independent computation.

The accuracies are those of an earlier study, whose networks trained on 55,000 images.
"""

import pandas as pd
import pytest

from remnist.report import earlier, effects, published, statistics
from remnist.report.effects import CONFIRMED, NO_EFFECT, REVERSED, Effect
from remnist.report.measures import Sample
from tests.support.studies import claim

SEEDS = pd.read_csv(earlier.RUNS, index_col="variant")


def judge(first: str, second: str, *, paired: bool = True) -> Effect:
    stated = claim(variants=[first, second])
    samples = [Sample(SEEDS.loc[first]), Sample(SEEDS.loc[second])]
    effect = effects.of_samples(stated, samples, paired=paired, image_se=0.0)
    return effects.conclude(stated, effect, effect.p_value)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("batch-64", "batch-100", NO_EFFECT),
        ("lr-schedule-cosine", "batch-64", NO_EFFECT),
        ("lr-schedule-one-cycle", "batch-64", NO_EFFECT),
        ("momentum-90", "dropout-0", NO_EFFECT),
        ("mlp-dropout-50", "mlp-baseline", REVERSED),
    ],
)
def test_effects(first, second, outcome):
    assert judge(first, second).outcome == outcome


@pytest.mark.parametrize(
    ("effect", "control", "share"),
    [
        (("optimizer-rmsprop", "momentum-90"), ("rmsprop-1e-3", "momentum-90"), 0.98),
        (("optimizer-adagrad", "momentum-90"), ("adagrad-2e-2", "momentum-90"), 0.66),
        (("mlp-deep-500", "mlp-baseline"), ("mlp-deep-500", "mlp-wide-588"), 0.65),
    ],
)
def test_shares_that_controls_explain(effect, control, share):
    found, (low, high) = statistics.share_explained(
        *(tuple(SEEDS.loc[name].to_numpy() for name in pair) for pair in (effect, control))
    )
    assert found == pytest.approx(share, abs=0.005)
    assert low < share < high
    assert high - low < 0.16


def test_the_gain_of_width_is_smaller_than_printed():
    stated = claim(variants=["capacity-2048", "capacity-24"], published=0.035, rounded_to=0.001)
    effect = judge("capacity-2048", "capacity-24", paired=False)
    size = published.size(stated, effect, {"capacity-24": published.Published(report=1, accuracy=0.9)})
    assert effect.outcome == CONFIRMED
    assert size is not None
    assert size.outcome == published.SMALLER
