"""The metrics against scikit-learn, and against counting by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from torch.nn.functional import cross_entropy

from remnist.evaluation.metrics import FALSE_POSITIVE_RATES, Predictions, ensemble, ensembles, evaluate, evaluate_all
from remnist.evaluation.predictions import probabilities


def predictions(logits, labels, loss):
    return Predictions(
        probabilities(logits),
        labels.numpy(),
        loss(logits.double(), labels).item(),
        parameters=7,
        weight_norm=1.23456789,
    )


def score(logits, labels, loss):
    return evaluate(predictions(logits, labels, loss))


@pytest.fixture
def answers():
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 10, (400,), generator=generator)
    logits = torch.randn(400, 10, generator=generator)
    logits[torch.arange(400), labels] += 1.5
    return logits, labels


def test_scores_agree_with_scikit_learn(answers):
    logits, labels = answers
    result = score(logits, labels, cross_entropy)
    likely = torch.softmax(logits.double(), 1).numpy()
    truth = labels.numpy()
    one_hot = np.eye(10)[truth]
    assert result["accuracy"] == pytest.approx(accuracy_score(truth, likely.argmax(1)), abs=1e-6)
    assert result["loss"] == pytest.approx(log_loss(truth, likely), abs=1e-6)
    assert result["roc_auc"]["macro"] == pytest.approx(
        roc_auc_score(truth, likely, multi_class="ovr", average="macro"), abs=1e-6
    )
    assert result["roc_auc"]["micro"] == pytest.approx(roc_auc_score(one_hot, likely, average="micro"), abs=1e-6)


def test_counts_by_hand():
    labels = torch.tensor([0, 0, 1, 2])
    logits = torch.tensor([[3.0, 0, 0], [0, 3.0, 0], [0, 3.0, 0], [0, 0, 3.0]])
    result = score(logits, labels, cross_entropy)
    assert result["accuracy"] == 0.75
    assert result["correct"] == [1, 1, 1]
    assert result["count"] == [2, 1, 1]
    assert result["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert result["answers"] == "0112"
    assert result["parameters"] == 7
    assert result["weight_norm"] == 1.234568


def test_perfect_answers_fill_the_roc_square():
    labels = torch.arange(10).repeat(3)
    result = score(torch.eye(10)[labels] * 50, labels, cross_entropy)
    assert set(result["roc_auc"].values()) == {1.0}
    assert result["roc"]["3"] == [1.0] * len(FALSE_POSITIVE_RATES)
    assert result["roc"]["macro"] == [1.0] * len(FALSE_POSITIVE_RATES)


@pytest.mark.parametrize("norm", [float("nan"), float("inf")])
def test_a_network_that_diverged_answers_nothing(norm):
    labels = torch.arange(10).repeat(2)
    logits = torch.full((20, 10), float("nan"))
    result = evaluate(predictions(logits, labels, cross_entropy)._replace(weight_norm=norm))
    assert result["loss"] is None
    assert result["weight_norm"] is None
    assert result["accuracy"] == 0.1
    assert set(result["roc_auc"].values()) == {0.5}


def test_roc_curves_rise_from_the_left_to_one(answers):
    result = score(*answers, cross_entropy)
    for name, curve in result["roc"].items():
        assert np.all(np.diff(curve) >= 0), name
        assert curve[-1] == 1.0
    assert set(result["roc"]) == {*map(str, range(10)), "micro", "macro", "false_positive_rate"}


def test_two_classes_are_enough():
    result = score(torch.tensor([[2.0, 1.0], [0.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 1, 0]), cross_entropy)
    assert result["correct"] == [1, 1]
    assert result["count"] == [2, 1]


ANSWERS = np.array(  # three networks' answers for two images of three classes
    [
        [[0.5, 0.4, 0.1], [0.4, 0.6, 0.0]],
        [[0.5, 0.4, 0.1], [0.1, 0.0, 0.9]],
        [[0.0, 0.9, 0.1], [0.6, 0.3, 0.1]],
    ]
)


@pytest.mark.parametrize(
    ("labels", "average", "vote"), [([0, 0], [False, True], [True, True]), ([1, 0], [True, True], [False, True])]
)
def test_ensemble_by_hand(labels, average, vote):
    # Image 1: two networks of three name class 0, but class 1 has the larger mean. Image 2: each names another class,
    # so the vote is tied and the means (1.1, 0.9, 1.0) / 3 decide.
    right = ensemble(ANSWERS, np.array(labels))
    assert {kind: images.tolist() for kind, images in right.items()} == {"average": average, "vote": vote}


def members(number: int, accuracy: float, se: float) -> dict[str, float]:
    """Return the figures of an ensemble whose average and whose vote are the same."""
    return {"members": number, "average": accuracy, "average_se": se, "vote": accuracy, "vote_se": se}


def test_ensembles_of_five_and_of_all():
    labels = np.arange(360) % 10
    right, wrong = np.eye(10)[labels], np.eye(10)[(labels + 1) % 10]
    both = ensembles([right] * 5 + [wrong] * 2, labels)
    # All 7 groups of five in a row have at most two that are wrong; every image gains alike.
    assert both == [members(5, 1.0, 0.0), members(7, 1.0, 0.0)]
    # With 8, the five wrong ones are the majority where at least three of them are together.
    mixed = ensembles([right] * 3 + [wrong] * 5, labels)
    assert mixed == [members(5, 0.375, 0.0), members(8, 0.0, 0.0)]
    assert ensembles([right] * 3, labels) == [members(3, 1.0, 0.0)]
    assert ensembles([right] * 5, labels) == [members(5, 1.0, 0.0)]
    assert ensembles([right], labels) == []


def test_the_standard_error_of_a_gain_is_that_of_its_mean_over_images():
    labels = np.zeros(4, int)
    right, wrong = np.eye(2)[[0] * 4], np.eye(2)[[1] * 4]
    half = np.where([[True], [True], [False], [False]], right, wrong)  # the first two images
    # Three networks, of which two are right on images 1 and 2, and one on 3 and 4: gains of 1/3 and -1/3.
    [three] = ensembles([right, half, wrong], labels)
    gains = np.array([1, 1, -1, -1]) / 3
    assert three == members(3, 0.5, round(gains.std(ddof=1) / 2, 6))
    # Seeds that agree gain nothing, whatever the images.
    assert ensembles([half] * 3, labels) == [members(3, 0.5, 0.0)]


def test_the_gain_of_five_is_averaged_over_the_groups_image_by_image(answers):
    logits, labels = answers
    generator = torch.Generator().manual_seed(1)
    noisy = [logits + torch.randn(logits.shape, generator=generator) for _ in range(6)]
    seeds, truth = [probabilities(each) for each in noisy], labels.numpy()
    groups = [[seeds[(start + i) % 6] for i in range(5)] for start in range(6)]
    together = np.mean([np.mean(group, axis=0).argmax(1) == truth for group in groups], axis=0)
    gain = together - np.mean([each.argmax(1) == truth for each in seeds], axis=0)
    five, _ = ensembles(seeds, truth)
    assert five["average"] == pytest.approx(together.mean(), abs=1e-6)
    assert five["average_se"] == pytest.approx(gain.std(ddof=1) / len(truth) ** 0.5, abs=1e-6)
    assert 0 < five["vote_se"] < 0.05


def test_seeds_are_evaluated_each_and_together(answers):
    logits, labels = answers
    each = [predictions(logits, labels, cross_entropy), predictions(-logits, labels, cross_entropy)]
    result = evaluate_all([4, 2], each)
    assert [seed.pop("seed") for seed in result["seeds"]] == [4, 2]
    assert result["seeds"] == [evaluate(one) for one in each]
    assert result["labels"] == "".join(map(str, labels.tolist()))
    assert result["ensembles"] == ensembles([one.probabilities for one in each], labels.numpy())
