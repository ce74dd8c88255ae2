"""claims.yaml: what the reports printed and said, and by which rule each statement is judged.

A claim is a comparison of measurements and the difference that the report expects. No outcome stands here: the report
stage finds it. `plan` checks the file before anything is trained.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from remnist.errors import UserError
from remnist.files import read_yaml
from remnist.plan.problems import Problems
from remnist.settings import DataSet, Settings, UnitInterval, Variant, Xor

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
NonNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]

OF_VARIANTS = ("average_of_five", "vote_of_five")  # metrics with one value a variant; the others have one a run


class Report(Settings):
    """A report whose statements are judged.

    Attributes:
        title: what it is about, in a few words.
    """

    title: str


class Published(Settings):
    """The figures, or the words, that one report printed of a variant.

    Attributes:
        report: the report's number.
        accuracy: on the test set, a fraction; None where none was printed.
        loss: on the test set; None where none was printed.
        digits: the accuracy on each of the ten digits.
        words: what stands in the report's table in place of figures.
    """

    report: int
    accuracy: UnitInterval | None = None
    loss: NonNegative | None = None
    digits: Annotated[list[UnitInterval], Field(min_length=10, max_length=10)] | None = None
    words: str | None = None


class Comparison(Settings):
    """Two variants, or one and a level, by one metric, and what is expected of the first minus the second.

    Attributes:
        variants: the two; or one that is held against `level`; or none, where every variant gives one figure.
        metric: what is compared, of each run where nothing else is said. `accuracy`, on the test set;
            `train_accuracy`, of the last epoch, on training images; `generalization_gap`, the one above minus the
            first; `epochs_to_reach`, the first epoch whose validation accuracy is `reach` or more, among those that
            both variants have; a run without one counts as one epoch more where only runs of the variant that is
            claimed to be slower are such, and makes the comparison not testable elsewhere; `roc_auc_worst_digit`, the
            smallest of the ten areas; `digit_deviation`, the largest difference between an accuracy on a digit and the
            published one; `resolution`, of two runs: the smallest difference in accuracy that McNemar's test would find
            between them; `average_of_five` and `vote_of_five`, one value a variant: by how much the accuracy of five
            networks together exceeds the mean of one.
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
    at_least: NonNegative = 0.0
    margin: NonNegative | None = None
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


class LostDigits(Settings):
    """The signs that a softmax before the loss, which has its own, has lost a digit for good.

    They show if runs of the variants with that softmax end without one test image of a digit right, all of those with
    a loss of 1.4612 plus the error, as saturated outputs have it; and no run of the variants without it does.

    Attributes:
        softmax: the variants with it.
        logits: the same without it.
    """

    softmax: Annotated[list[str], Field(min_length=1)]
    logits: Annotated[list[str], Field(min_length=1)]


class Cause(Settings):
    """Another cause than the report's, and the controls that would show it.

    Attributes:
        words: what it is.
        shown_by: comparisons that have to come out as expected, of a claim whose own does.
        lost_digits: signs that show it whatever the claim's own outcome.
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
    """A statement of a report.

    Attributes:
        report: the report's number.
        says: the statement in a few words.
        published: the difference that the report states, where it is not that of the accuracies it printed.
        cause: another cause that a control may show.
    """

    report: int
    says: str
    published: float | None = None
    cause: Cause | None = None


class Claims(Settings):
    """claims.yaml.

    Attributes:
        title: the heading of REPORT.md; without it, how many reports of that data set were run again.
        introduction: what REPORT.md says below its title, before any result.
        data: the data set of the published figures.
        reference: the variant that the report takes for its example.
        reports: by their numbers.
        published: what the reports printed, by variant.
        claims: what the reports said, by name.
    """

    title: str | None = None
    introduction: str | None = None
    data: DataSet
    reference: str
    reports: dict[int, Report]
    published: dict[str, Published]
    claims: dict[Name, Claim]


def read(path: Path) -> Claims:
    """Read claims.yaml.

    Raises:
        UserError: a line for each value that is wrong, with its path.
    """
    content, problems = read_yaml(path), Problems()
    if not isinstance(content, dict):
        raise UserError(f"{path}: a mapping is expected here")
    try:
        return Claims.model_validate(content)
    except ValidationError as error:
        problems.add_invalid("", error)
        problems.raise_any()
        raise


def check(claims: Claims, plan: Mapping[str, Variant]) -> None:
    """Check that the claims suit the study.

    Args:
        claims: the content of claims.yaml.
        plan: every variant's settings.

    Raises:
        UserError: a line for each claim about a variant, a report or a comparison that the study does not have.
    """
    problems = Problems()

    def known(path: str, variant: str) -> None:
        if variant not in plan:
            problems.add(path, variant, f"no variant of params.yaml{_nearest(variant, plan)}")

    known("reference", claims.reference)
    for name, printed in claims.published.items():
        known(f"published.{name}", name)
        _check_report(f"published.{name}.report", printed.report, claims, problems)
    for name, claim in claims.claims.items():
        _check_report(f"claims.{name}.report", claim.report, claims, problems)
        for path, comparison in comparisons(f"claims.{name}", claim):
            for place, variant in enumerate(comparison.variants):
                known(f"{path}.variants.{place}", variant)
            _check_comparable(path, comparison, claims, plan, problems)
        if claim.cause and (signs := claim.cause.lost_digits):
            for kind, variants in (("softmax", signs.softmax), ("logits", signs.logits)):
                for place, variant in enumerate(variants):
                    known(f"claims.{name}.cause.lost_digits.{kind}.{place}", variant)
    problems.raise_any()


def comparisons(path: str, claim: Claim) -> Iterator[tuple[str, Comparison]]:
    """Yield a claim's comparison and those of its controls, each with its path in claims.yaml."""
    yield path, claim
    for place, control in enumerate(claim.cause.shown_by if claim.cause else ()):
        yield f"{path}.cause.shown_by.{place}", control


def variants_of(claim: Claim) -> set[str]:
    """Return the variants that a claim, its controls and its signs of lost digits compare."""
    compared = {variant for _, comparison in comparisons("", claim) for variant in comparison.variants}
    signs = claim.cause.lost_digits if claim.cause else None
    return compared | ({*signs.softmax, *signs.logits} if signs else set())


def _check_report(path: str, number: int, claims: Claims, problems: Problems) -> None:
    if number not in claims.reports:
        problems.add(path, number, f"allowed: {', '.join(map(str, claims.reports))}, the numbers under reports")


def _check_comparable(
    path: str, comparison: Comparison, claims: Claims, plan: Mapping[str, Variant], problems: Problems
) -> None:
    found = [plan[variant] for variant in comparison.variants if variant in plan]
    if len({isinstance(variant.data, Xor) for variant in found}) > 1:
        problems.add(f"{path}.variants", comparison.variants, "XOR's points and images are no common test set")
    elif len(set(comparison.variants)) < len(comparison.variants):
        problems.add(f"{path}.variants", comparison.variants, "two different variants are expected here")
    if comparison.metric == "digit_deviation":
        for variant in comparison.variants:
            if variant not in claims.published or claims.published[variant].digits is None:
                problems.add(f"{path}.metric", comparison.metric, f"needs published.{variant}.digits")


def _nearest(name: str, plan: Mapping[str, Variant]) -> str:
    close = get_close_matches(name, plan, n=1)
    return f"; did you mean {close[0]}?" if close else ""
