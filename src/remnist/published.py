"""What the reports printed, from the `published` section of params.yaml."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from remnist.errors import UserError


class Published(BaseModel):
    """What one report printed of a variant.

    Attributes:
        report: number of the report, 1 to 5.
        accuracy: on the test set, a fraction; None where none was printed.
        loss: on the test set; None where none was printed.
        words: what stands in the report's table in place of figures.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    report: Annotated[int, Field(ge=1, le=5)]
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    loss: Annotated[float, Field(ge=0)] | None = None
    words: str | None = None


def check(published: dict[str, Any]) -> dict[str, Published]:
    """Check the section.

    Raises:
        UserError: a line for each value that is wrong, with its path.
    """
    try:
        return TypeAdapter(dict[str, Published]).validate_python(published)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            path = ".".join(["published", *map(str, problem["loc"])])
            lines.append(f"{path}: {problem['input']!r}: {problem['msg'].replace('Input should be', 'allowed:')}")
        raise UserError("\n".join(lines)) from None
