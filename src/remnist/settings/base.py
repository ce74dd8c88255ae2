"""The types of values that settings share, and how strictly settings are read."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Misfit = tuple[str, str]  # the setting that does not suit the data, and the rule that it breaks


def _each_once(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed stands here once")
    return seeds


Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]
Betas = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_each_once)]


class Settings(BaseModel):
    """Immutable; refuses unknown keys, values of another type, infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
