"""The units in which metrics are shown, and in which their differences are."""

from typing import NamedTuple

# Metrics whose differences are shares of the second value, or of the level.
RELATIVE = ("loss", "batch_loss_sd", "loss_variation", "weight_norm", "seconds_per_epoch", "loss_by_epoch")


class Unit(NamedTuple):
    """How figures are shown.

    Attributes:
        factor: by which they are multiplied.
        name: behind them.
        decimals: behind the point.
    """

    factor: float
    name: str
    decimals: int


POINTS, PERCENT, EPOCHS = Unit(100, "points", 2), Unit(100, "%", 1), Unit(1, "epochs", 1)
VALUES = {
    "loss": Unit(1, "", 4), "loss_by_epoch": Unit(1, "", 4), "batch_loss_sd": Unit(1, "", 4),
    "loss_variation": Unit(1, "", 4), "weight_norm": Unit(1, "", 2), "parameters": Unit(1, "parameters", 0),
    "seconds_per_epoch": Unit(1, "s", 2), "epochs_to_reach": EPOCHS, "train_epochs_to_reach": EPOCHS,
    "roc_auc_worst_digit": Unit(1, "", 5), "roc_auc_spread": Unit(1, "", 5), "diverged": Unit(100, "% of runs", 0),
    "digit_missing": Unit(100, "% of runs", 0), "generalization_gap": POINTS, "digit_spread": POINTS,
    "average_of_five": POINTS, "vote_of_five": POINTS,
}  # fmt: skip


def of_values(metric: str) -> Unit:
    """Return the unit of a metric's values."""
    return VALUES.get(metric, Unit(100, "%", 2))


def of_differences(metric: str) -> Unit:
    """Return the unit of a metric's differences."""
    if metric in RELATIVE:
        return PERCENT
    unit = VALUES.get(metric, POINTS)
    return Unit(100, "points", 0) if unit.name == "% of runs" else unit
