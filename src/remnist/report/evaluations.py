"""The evaluation of a variant, read and checked."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from remnist.errors import UserError
from remnist.files import read_json
from remnist.settings import Settings, UnitInterval

Counts = list[Annotated[int, Field(ge=0)]]
Digits = Annotated[str, Field(pattern="^[0-9]+$")]


class Seed(Settings):
    """One network's figures, as `remnist.evaluation.metrics.evaluate` returns them, and its seed."""

    seed: int
    parameters: Annotated[int, Field(ge=0)]
    weight_norm: float | None
    accuracy: UnitInterval
    loss: float | None
    correct: Counts
    count: list[Annotated[int, Field(ge=1)]]
    confusion: list[Counts]
    roc_auc: dict[str, UnitInterval]
    roc: dict[str, list[UnitInterval]]
    answers: Digits

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        classes = len(self.count)
        curves = {*map(str, range(classes)), "micro", "macro"}
        if {len(self.correct), len(self.confusion), *map(len, self.confusion)} != {classes}:
            raise ValueError(f"correct, confusion: {classes} classes, as in count, are expected")
        if sum(self.count) != len(self.answers):
            raise ValueError(f"answers: {sum(self.count)} digits are expected, one an image")
        if self.roc_auc.keys() != curves or self.roc.keys() != curves | {"false_positive_rate"}:
            raise ValueError("roc_auc, roc: a curve a class, micro and macro are expected")
        if len({len(points) for points in self.roc.values()}) != 1:
            raise ValueError("roc: curves of one length are expected")
        return self


class Ensemble(Settings):
    """The accuracy of several seeds together and its standard errors, as in `remnist.evaluation.metrics.ensembles`."""

    members: Annotated[int, Field(ge=2)]
    average: UnitInterval
    average_se: UnitInterval
    vote: UnitInterval
    vote_se: UnitInterval


class Evaluation(Settings):
    """The content of evaluations/<variant>.json."""

    seeds: Annotated[list[Seed], Field(min_length=1)]
    labels: Digits
    ensembles: list[Ensemble]

    @model_validator(mode="after")
    def _same_images(self) -> Self:
        if any(len(seed.answers) != len(self.labels) for seed in self.seeds):
            raise ValueError("labels: as many as answers are expected")
        return self


def read_evaluation(folder: Path, variant: str, seeds: list[int]) -> Evaluation:
    """Read a variant's evaluation.

    Args:
        folder: the folder of `<variant>.json`.
        variant: its name.
        seeds: its seeds in the plan.

    Raises:
        UserError: it is missing, not as evaluate writes it, or not of these seeds.
    """
    path = folder / f"{variant}.json"
    try:
        evaluation = Evaluation.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {where}: {first['msg']}; `dvc repro evaluate@{variant}` makes it again") from None
    if [seed.seed for seed in evaluation.seeds] != seeds:
        raise UserError(f"{path}: not of the seeds in plan.json; `dvc repro evaluate@{variant}` makes it again")
    return evaluation
