"""What the reports claim, from the `claims` section of params.yaml, which the report stage alone reads.

A claim is a comparison of measurements and what the report says comes of it. No verdict stands here.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from remnist.report.published import Strict, check_section

Metric = Literal[
    "accuracy",
    "train_accuracy",
    "generalization_gap",
    "epochs_to_reach",
    "roc_auc_worst_digit",
    "digit_deviation",
    "resolution",
    "average_of_five",
    "vote_of_five",
]
Expectation = Literal["more", "less", "same", "not_more", "not_less"]

# Of these each variant gives one figure; the others give one of each run.
OF_VARIANTS = ("average_of_five", "vote_of_five")


class Comparison(Strict):
    """Two variants, or one and a level, by one metric, and what is expected of the first minus the second.

    Attributes:
        variants: the two; or one that is held against `level`; or none, where every variant gives one figure.
        metric: what is compared, of each run where nothing else is said. `accuracy`, on the test set;
            `train_accuracy`, of the last epoch, on training images; `generalization_gap`, the one above minus the
            first; `epochs_to_reach`, the first epoch whose validation accuracy is `reach` or more, or one more than
            there were; `roc_auc_worst_digit`, the smallest of the ten areas; `digit_deviation`, the largest
            difference between an accuracy on a digit and the published one; `resolution`, of two runs: the smallest
            difference in accuracy that McNemar's test would find between them; `average_of_five` and `vote_of_five`,
            of a variant: by how much the accuracy of five networks together exceeds the mean of one.
        expect: `more` and `less`, the first is larger or smaller; `same`, they differ by less than `margin`;
            `not_more` and `not_less`, the first is not larger or not smaller by `margin` or more.
        at_least: with `more` or `less`, the smallest difference that would be as claimed.
        margin: with the others, in units of the metric.
        level: what one variant, or every variant, is held against.
        reach: with `epochs_to_reach`, the validation accuracy.
    """

    variants: Annotated[list[str], Field(max_length=2, default_factory=list)]
    metric: Metric = "accuracy"
    expect: Expectation
    at_least: Annotated[float, Field(ge=0)] = 0.0
    margin: Annotated[float, Field(ge=0)] | None = None
    level: float | None = None
    reach: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        rules = (
            ((self.margin is None) == (self.expect in ("more", "less")), f"margin: goes with same, not_more, not_less "
             f"and is needed there; expect is {self.expect}"),
            (not self.at_least or self.expect in ("more", "less"), "at_least: goes with more and less"),
            ((self.reach is not None) == (self.metric == "epochs_to_reach"),
             "reach: goes with epochs_to_reach and is needed there"),
            ((self.level is None) == (len(self.variants) == 2 and self.metric != "resolution"),
             "level: goes with one variant or none, and with resolution, and is needed there"),
            ((self.metric in OF_VARIANTS) == (not self.variants),
             f"variants: none with {' and '.join(OF_VARIANTS)}; one or two with the others"),
            (self.metric != "resolution" or len(self.variants) == 2, "variants: two with resolution"),
        )  # fmt: skip
        for holds, rule in rules:
            if not holds:
                raise ValueError(rule)
        return self


class LostDigits(Strict):
    """The signs that a softmax before the loss, which has its own, has lost a digit for good.

    They show if runs of the variants with that softmax end without one test image of a digit right, all of those with
    a loss of 1.4612 plus the error, as saturated outputs have it; and no run of the variants without it does.

    Attributes:
        softmax: the variants with it.
        logits: the same without it.
    """

    softmax: Annotated[list[str], Field(min_length=1)]
    logits: Annotated[list[str], Field(min_length=1)]


class Cause(Strict):
    """Another cause than the report's, and the controls that would show it.

    Attributes:
        words: what it is.
        shown_by: comparisons that have to come out as expected, of a claim whose own does.
        lost_digits: signs that show it whatever comes of the claim.
    """

    words: str
    shown_by: Annotated[list[Comparison], Field(default_factory=list)]
    lost_digits: LostDigits | None = None

    @model_validator(mode="after")
    def _is_shown_by_something(self) -> Self:
        if not self.shown_by and self.lost_digits is None:
            raise ValueError("shown_by or lost_digits: one of the two is needed")
        return self


class Claim(Comparison):
    """What a report claims.

    Attributes:
        report: number of the report, 1 to 5.
        says: the statement in a few words.
        published: the difference that the report states, where it is not that of the accuracies it printed.
        cause: another cause that a control may show.
    """

    report: Annotated[int, Field(ge=1, le=5)]
    says: str
    published: float | None = None
    cause: Cause | None = None


def scale(comparison: Comparison) -> tuple[float, str]:
    """Return by what a comparison's differences are multiplied to be shown, and the unit that they then have."""
    return (1, "epochs") if comparison.metric == "epochs_to_reach" else (100, "points")


def check(claims: dict[str, Any]) -> dict[str, Claim]:
    """Check the section.

    Raises:
        UserError: a line for each value that is wrong, with its path.
    """
    return check_section("claims", claims, Claim)
