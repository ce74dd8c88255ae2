"""The report's words for outcomes and metrics, each in plain English."""

from collections.abc import Iterable

from remnist.plan.claims import Claim
from remnist.report.effects import NO_EFFECT, REVERSED, UNDECIDED
from remnist.report.published import LARGER, SMALLER
from remnist.report.verdicts import (
    BY_CONSTRUCTION,
    FALSE_BY_CONSTRUCTION,
    NEGLIGIBLE,
    NOT_REPLICATED,
    NOT_TESTABLE,
    REPLICATED,
)

OUTCOMES = {
    REPLICATED: "The runs show what the report says; a published figure, if any, is within reach of a single run.",
    f"{REPLICATED}, {SMALLER}": "They show it, but smaller than published, by more than one pair of runs explains.",
    f"{REPLICATED}, {LARGER}": "They show it, but larger than published, by more than one pair of runs explains.",
    f"{REPLICATED}, {NEGLIGIBLE}": "They show it, and that it is too small to matter.",
    NOT_REPLICATED: "The published figure is out of reach of a single run.",
    NO_EFFECT: "They show that the difference, if there is one, is too small to matter.",
    REVERSED: "They show the opposite: a difference the other way, or one that matters where the report denies it.",
    f"{REVERSED}, {NEGLIGIBLE}": "They show a difference the other way, and that it is too small to matter.",
    UNDECIDED: "They show neither; a difference that matters may be there or not. It is not the same as no effect.",
    BY_CONSTRUCTION: "True whatever the runs do, by a count or by algebra: without statistics; a test proves it.",
    FALSE_BY_CONSTRUCTION: "False whatever the runs do, likewise.",
    NOT_TESTABLE: "The report or this study lacks what a test needs; the outcome says what.",
}

REACHED = "the first epoch after which the {} is as high as named"
METRICS = {
    "accuracy": "share of the test images that a network gets right, after the last epoch",
    "loss": "mean over the test images of the loss that the network is trained on, after the last epoch",
    "train_accuracy": "accuracy on the first training images, as many as there are test images, without dropout",
    "generalization_gap": "train accuracy minus accuracy; a gap may also come from easier training images",
    "batch_loss_sd": "standard deviation of the training loss over the batches of the last epoch",
    "loss_variation": "standard deviation of the test loss's changes from epoch to epoch, after the first",
    "digit_spread": "highest accuracy on a digit minus the lowest",
    "roc_auc_worst_digit": "smallest area under the ROC curves of the digits; 1 is ideal, 0.5 is guessing",
    "roc_auc_spread": "largest area under the ROC curves of the digits minus the smallest",
    "weight_norm": "root of the sum of all squared weights and biases",
    "parameters": "number of weights and biases that are trained",
    "diverged": "share of runs whose loss is not finite, or whose train accuracy is below twice that of guessing",
    "digit_missing": "share of runs that get fewer than half of the test images of some digit right",
    "epochs_to_reach": REACHED.format("accuracy"),
    "train_epochs_to_reach": REACHED.format("train accuracy"),
    "seconds_per_epoch": "seconds of one core for an epoch; the rounds of a benchmark take the place of seeds",
    "average_of_five": "accuracy of the mean of five networks' probabilities, minus that of one of them on average",
    "vote_of_five": "accuracy of the majority of five networks, minus that of one of them on average",
    "accuracy_by_epoch": "accuracy after each epoch of which the report prints it",
    "loss_by_epoch": "loss after each epoch of which the report prints it",
    "accuracy_by_digit": "share of the test images of each digit that are taken for it",
}
NAMES = {
    "batch_loss_sd": "scatter of the batch losses",
    "roc_auc_worst_digit": "ROC-AUC of the worst digit",
    "roc_auc_spread": "ROC-AUC from the worst digit to the best",
}


def name(metric: str) -> str:
    """Return what a metric is called."""
    return NAMES.get(metric, metric.replace("_", " "))


def metrics(claims: Iterable[Claim]) -> dict[str, str]:
    """Return the metrics of these claims, by their names, in the order of `METRICS`."""
    used = {"accuracy", "train_accuracy"}.union(claim.metric for claim in claims)  # others build on these two
    return {name(metric): meaning for metric, meaning in METRICS.items() if metric in used}
