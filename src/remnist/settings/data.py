"""The data sets that a variant may run on."""

from typing import ClassVar, Literal

from pydantic import Field

from remnist.settings.base import Settings

DataSet = Literal["mnist", "fashion_mnist", "kmnist", "digits"]


class Images(Settings):
    """A data set of square grey images."""

    name: DataSet = Field(description="data set")
    validation: int = Field(
        json_schema_extra={"minimum": 0}, description="training images held out, the last ones; fewer than there are"
    )
    normalize: bool = Field(description="subtract the training images' mean, divide by their standard deviation")
    image_size: int = Field(ge=1, le=1_024, description="pixels a side; other sizes are resized from 28")


class Xor(Settings):
    """XOR's four points, each an image of one row and two pixels."""

    name: Literal["xor"]
    validation: ClassVar[int] = 0  # points held out


Data = Images | Xor
