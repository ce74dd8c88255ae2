"""What the reports printed, from the `published` section of params.yaml, which the report stage alone reads."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from remnist.common.errors import UserError, printable, shown

T = TypeVar("T")
Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Refuses unknown keys and values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Published(Strict):
    """What one report printed of a variant.

    Attributes:
        report: number of the report, 1 to 5.
        accuracy: on the test set, a fraction; None where none was printed.
        loss: on the test set; None where none was printed.
        digits: the accuracy on each of the ten digits.
        words: what stands in the report's table in place of figures.
    """

    report: Annotated[int, Field(ge=1, le=5)]
    accuracy: Fraction | None = None
    loss: Annotated[float, Field(ge=0)] | None = None
    digits: Annotated[list[Fraction], Field(min_length=10, max_length=10)] | None = None
    words: str | None = None


def check(published: dict[str, Any]) -> dict[str, Published]:
    """Check the section.

    Raises:
        UserError: a line for each value that is wrong, with its path.
    """
    return check_section("published", published, Published)


def check_section(name: str, values: dict[str, Any], kind: type[T]) -> dict[str, T]:
    """Check a section of params.yaml whose entries are all of one kind.

    Raises:
        UserError: a line for each value that is wrong, with its path.
    """
    try:
        return TypeAdapter(dict[str, kind]).validate_python(values)  # type: ignore[valid-type]
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            path = printable(".".join([name, *map(str, problem["loc"])]))
            rule = problem["msg"].replace("Input should be", "allowed:").removeprefix("Value error, ")
            value = problem["input"]
            lines.append(f"{path}: {rule}" if isinstance(value, dict) else f"{path}: {shown(value)}: {rule}")
        raise UserError("\n".join(lines)) from None
