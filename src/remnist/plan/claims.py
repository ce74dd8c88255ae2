"""claims.yaml: what the reports printed and said, and by which rule each statement is judged.

A claim is a comparison of measurements and what the report says of it. No outcome stands here: the report stage finds
it, by the rules of `remnist.report.verdicts`. `plan` checks the file before anything is trained.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator

from remnist.errors import UserError
from remnist.files import read_yaml
from remnist.plan.problems import Problems
from remnist.settings import DataSet, Settings, UnitInterval

# The metrics of a claim, by what they have one value of. `Comparison` says what each is.
OfRuns = Literal[
    "accuracy", "loss", "train_accuracy", "generalization_gap", "batch_loss_sd", "loss_variation", "digit_spread",
    "roc_auc_worst_digit", "roc_auc_spread", "weight_norm", "parameters", "diverged", "digit_missing",
    "epochs_to_reach", "train_epochs_to_reach",
]  # fmt: skip
OfRounds = Literal["seconds_per_epoch"]
OfVariants = Literal["average_of_five", "vote_of_five"]
OfFigures = Literal["accuracy_by_epoch", "loss_by_epoch", "accuracy_by_digit"]
Metric = Literal[OfRuns, OfRounds, OfVariants, OfFigures]
Expectation = Literal["more", "less", "same", "not_more", "not_less", "as_published"]

AT_EPOCH = ("accuracy", "loss")
REACHING = ("epochs_to_reach", "train_epochs_to_reach")
RATES = ("diverged", "digit_missing")
BY_FIGURE, TOGETHER = get_args(OfFigures), get_args(OfVariants)

NonNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Report(Settings):
    """A report whose statements are judged.

    Attributes:
        title: what it is about, in a few words.
    """

    title: str


class Epoch(Settings):
    """The figures that a report printed of an epoch.

    Attributes:
        accuracy: on the test set, a fraction.
        loss: on the test set.
    """

    accuracy: UnitInterval | None = None
    loss: NonNegative | None = None


class Published(Epoch):
    """The figures, or the words, that one report printed of a variant, those of the end where nothing else is said.

    Attributes:
        report: the report's number.
        parameters: how many it has.
        epochs: the figures by epoch.
        digits: the accuracy on each of the ten digits.
        words: what stands in the report's table in place of figures.
    """

    report: int
    parameters: int | None = None
    epochs: Annotated[dict[Annotated[int, Field(ge=0)], Epoch], Field(default_factory=dict)]
    digits: Annotated[list[UnitInterval], Field(min_length=10, max_length=10)] | None = None
    words: str | None = None


class Comparison(Settings):
    """Two variants, or one and a level, by one metric.

    Attributes:
        variants: the two, of which the second is subtracted from the first; or one, held against `level`; or, with
            `as_published`, those whose figures were published.
        metric: what is compared.

            Of each run, on the test set and after the last epoch where nothing else is said: `accuracy` and `loss`, the
            loss that the network is trained on; `train_accuracy`, on the first training images, as many as there are
            test images, without dropout;
            `generalization_gap`, that minus `accuracy`; `batch_loss_sd`, the standard deviation of the last epoch's
            batch losses; `loss_variation`, that of the changes of the test loss from epoch to epoch, after the first;
            `digit_spread`, the highest accuracy on a digit minus the lowest; `roc_auc_worst_digit`, the smallest of
            the ten areas, and `roc_auc_spread`, the largest minus that; `weight_norm`, the root of the sum of all
            squared parameters; `parameters`, their number; `diverged`, whether the loss is not finite or
            `train_accuracy` below twice chance; `digit_missing`, whether fewer than half of some digit's images are
            right; `epochs_to_reach`, the first epoch whose test accuracy is `reach` or more, and
            `train_epochs_to_reach`, the same on the training images, both among the epochs that all variants have.

            Of each round of a benchmark: `seconds_per_epoch`.

            Of each figure that was published, with `as_published`: `accuracy_by_epoch`, `loss_by_epoch`,
            `accuracy_by_digit`.

            Of a variant, or where none is named of every variant: `average_of_five` and `vote_of_five`, by how much
            the accuracy of five networks together exceeds the mean of one.
        epoch: with accuracy and loss, after this one; 0 is before the first.
        reach: with epochs to reach, the accuracy.
        found_digits: only runs with no digit missing; two kinds of runs have no mean in common.
        level: what one variant, or every variant, is held against.
    """

    variants: Annotated[list[str], Field(default_factory=list)]
    metric: Metric = "accuracy"
    epoch: Annotated[int, Field(ge=0)] | None = None
    reach: Annotated[float, Field(gt=0, le=1)] | None = None
    found_digits: bool = False
    level: float | None = None


class Cause(Settings):
    """A factor that may explain the difference, and the comparison that holds it equal.

    Attributes:
        words: the factor.
        control: the claim's two variants, with one or both replaced by one that differs in this single factor. The
            share of the difference that vanishes is the share that the factor explains.
    """

    words: str
    control: Annotated[list[str], Field(min_length=2, max_length=2)]


class Claim(Comparison):
    """A statement of a report, or a part of one.

    Attributes:
        report: the report's number.
        statement: the number of the statement; the rows that judge one statement share it.
        says: the statement in a few words.
        expect: what the report says of the difference. `more`, `less`; `same`, within `margin`; `not_more` and
            `not_less`, not larger or not smaller by more than `margin`; `as_published`, the published figures are such
            as one run has.
        margin: the smallest difference that matters, in units of the metric; of losses, times and norms a share.
        published: the difference that the report states, or the value of one variant, where it does not follow from
            what `published` holds of the variants; of losses, times and norms a share of the second.
        rounded_to: the unit that `published` was rounded to.
        cause: a factor that may explain the difference.
        by_construction: why it cannot come out otherwise, where it cannot; a test proves it.
        not_testable: why it cannot be judged, where it cannot.
        note: a remark for the reader, next to the figures.
        all_of: the claims that have to hold together; they stand in place of a comparison.
    """

    report: int
    statement: Annotated[int, Field(ge=1)]
    says: str
    expect: Expectation = "more"
    margin: Annotated[float, Field(gt=0)] | None = None
    published: float | None = None
    rounded_to: NonNegative = 0.0
    cause: Cause | None = None
    by_construction: str | None = None
    not_testable: str | None = None
    note: str | None = None
    all_of: Annotated[list[str], Field(default_factory=list)]

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        for holds, rule in _rules(self):
            if not holds:
                raise ValueError(rule)
        return self


def _rules(claim: Claim) -> Iterator[tuple[bool, str]]:
    """Yield the rules that concern several settings of a claim, each with whether it holds."""
    if claim.all_of:
        stated = claim.model_fields_set - {"report", "statement", "says", "all_of", "note"}
        yield not stated, f"all_of: goes without {', '.join(sorted(stated))}"
        return
    compared, free = len(claim.variants), claim.not_testable is not None
    if claim.expect == "as_published":
        yield compared >= 1, "variants: one at least with as_published"
        yield claim.level is None, "level: goes without as_published"
        yield (
            claim.published is None or (compared == 1 and claim.metric not in BY_FIGURE),
            "published: of one variant, and one figure, with as_published",
        )
    else:
        yield compared <= 2, "variants: two at most"
        yield claim.metric not in BY_FIGURE, f"expect: as_published with {claim.metric}"
        yield (
            free or (claim.level is None) == (compared == 2),
            "level: goes with one variant or none, and is needed there",
        )
    never = free or claim.metric in RATES or claim.expect == "as_published"
    yield claim.margin is None or not never, "margin: goes without a rate, as_published and not_testable"
    yield claim.margin is not None or never or bool(claim.by_construction), "margin: a difference needs one"
    yield (
        (claim.reach is not None) == (claim.metric in REACHING),
        "reach: goes with epochs to reach and is needed there",
    )
    yield claim.epoch is None or claim.metric in AT_EPOCH, f"epoch: goes with {' and '.join(AT_EPOCH)}"
    together = claim.metric in TOGETHER
    yield (compared <= 1) if together else (compared > 0), f"variants: none or one with {' and '.join(TOGETHER)} alone"
    yield claim.metric not in RATES or claim.expect in ("more", "less"), "expect: more or less with a rate"
    yield free or claim.metric not in RATES or compared == 2, "variants: two with a rate"
    yield claim.cause is None or compared == 2, "cause: goes with two variants"


class Claims(Settings):
    """claims.yaml.

    Attributes:
        title: the heading of REPORT.md; without it, how many reports of that data set were run again.
        introduction: what REPORT.md says below its title, before any result.
        made_on: the machine that the results were made on.
        data: the data set of the published figures.
        earlier: what the runs of `report/earlier.csv` were, accuracies of other seeds by variant, on which REPORT.md
            tries the same claims.
        reference: the variant that the report takes for its example.
        reports: by their numbers.
        published: what the reports printed, by variant.
        claims: what the reports said, by name.
        findings: the claims that REPORT.md opens with, chosen before anything is measured.
        questions: the variants whose curves are drawn together, by a title.
    """

    title: str | None = None
    introduction: str | None = None
    made_on: str | None = None
    earlier: str | None = None
    data: DataSet
    reference: str
    reports: dict[int, Report]
    published: dict[str, Published]
    claims: dict[Name, Claim]
    findings: Annotated[list[str], Field(default_factory=list)]
    questions: Annotated[dict[str, Annotated[list[str], Field(min_length=1)]], Field(default_factory=dict)]


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


def figures(claim: Claim, variant: str, published: Mapping[str, Published]) -> dict[int | None, float]:
    """Return the published figures that a claim of `as_published` holds a variant's runs against.

    Returns:
        Each by its epoch or digit, by None where the metric has one figure.
    """
    if claim.published is not None:
        return {None: claim.published}
    if variant not in published:
        return {}
    printed = published[variant]
    found: dict[int | None, float | None]
    match claim.metric:
        case "accuracy_by_epoch":
            found = {epoch: each.accuracy for epoch, each in printed.epochs.items()}
        case "loss_by_epoch":
            found = {epoch: each.loss for epoch, each in printed.epochs.items()}
        case "accuracy_by_digit":
            found = dict(enumerate(printed.digits or ()))
        case "accuracy" | "loss" as metric:
            found = {
                None: getattr(printed if claim.epoch is None else printed.epochs.get(claim.epoch, Epoch()), metric)
            }
        case "parameters":
            found = {None: printed.parameters}
        case _:
            found = {}
    return {place: figure for place, figure in found.items() if figure is not None}
